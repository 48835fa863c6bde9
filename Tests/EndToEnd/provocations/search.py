def provoke(stack, member) -> None:
    assert member.request("GET", "/api/search", params={"q": "防晒"}).status_code == 200
    assert member.request("GET", "/api/search").status_code == 422
    assert stack.inner("gateway-bff", "content-center", "GET", "/v1/search", member.tenant, params={"q": "防晒"}).status_code == 200
