-- wrk: the same question to every peer. Arguments: the bearer token, or nothing.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"gpt-4o-mini","messages":[{"role":"system","content":"你是短视频文案编辑。"},'
  .. '{"role":"user","content":"给夏季防晒霜写一条三十字以内的口播文案。"}],"max_tokens":200}'

function init(arguments)
  if arguments[1] then wrk.headers["Authorization"] = "Bearer " .. arguments[1] end
end
