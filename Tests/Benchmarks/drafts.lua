-- wrk script: one draft per request, each under an operation of its own.
local counter = 0

function init(args)
    token, run = args[1], args[2]
    body = args[3]
end

function request()
    counter = counter + 1
    return wrk.format("POST", "/v1/contents", {
        ["Authorization"] = "Bearer " .. token,
        ["Content-Type"] = "application/json",
        ["X-Operation-Id"] = string.format("%s-7000-8000-%012x", run, counter),
    }, body)
end
