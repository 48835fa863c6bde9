-- wrk script: one title generation per request, each with an idempotency key of its own.
local counter, thread_count = 0, 0

function setup(thread)
    thread:set("number", thread_count)
    thread_count = thread_count + 1
end

function init(args)
    token = args[1]
    run = args[2]
    body = '{"topic":"夏季通勤防晒","platform":"douyin","keywords":["防晒"],"count":5}'
end

function request()
    counter = counter + 1
    return wrk.format("POST", "/api/titles", {
        ["Authorization"] = "Bearer " .. token,
        ["Content-Type"] = "application/json",
        ["Idempotency-Key"] = run .. "-" .. number .. "-" .. counter,
    }, body)
end
