from . import AS_JSON, TOO_LARGE


def provoke(stack, member) -> None:
    path = "/api/openai/v1/embeddings"
    good = {"model": "text-embedding-3-small", "input": "状态码", "dimensions": 4}
    assert member.request("POST", path, json=good).status_code == 200
    for wrong, status in ((good | {"input": ""}, 400), (good | {"model": "nothing"}, 404)):
        answer = member.request("POST", path, json=wrong)
        assert answer.status_code == status and set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert member.request("POST", path, data=b"not json", headers=AS_JSON).status_code == 400
    assert member.request("POST", path, data=TOO_LARGE, headers=AS_JSON).status_code == 413
    assert member.request("POST", path, data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    assert member.request("GET", "/api/openai/v1/models").status_code == 200
    for name, status in (("openai%2Fgpt-4o-mini", 200), ("nothing", 404)):
        assert member.request("GET", f"/api/openai/v1/models/{name}").status_code == status
    inner = good | {"input": "里面的状态码"}
    token = stack.context_token("gateway-bff", "agent-center", member.tenant, scopes=("ai:generate",))
    for call in (("POST", "/v1/embeddings", inner), ("GET", "/v1/models", None), ("GET", "/v1/models/auto", None)):
        assert stack.inner("gateway-bff", "agent-center", call[0], call[1], member.tenant, token=token, json=call[2]).status_code == 200
