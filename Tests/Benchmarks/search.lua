-- wrk script: searches, one query after the other out of a file of URL-encoded lines.
local queries, place = {}, 0

function init(args)
    token = args[1]
    for line in io.lines(args[2]) do queries[#queries + 1] = line end
end

function request()
    place = place % #queries + 1
    return wrk.format("GET", "/api/search?limit=20&q=" .. queries[place], { ["Authorization"] = "Bearer " .. token })
end
