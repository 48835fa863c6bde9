import base64
import struct
import uuid


def provoke(stack, member) -> None:
    assert member.request("GET", "/api/search", params={"q": "防晒"}).status_code == 200
    assert member.request("GET", "/api/search").status_code == 422
    assert stack.inner("gateway-bff", "content-center", "GET", "/v1/search", member.tenant, params={"q": "防晒"}).status_code == 200
    assert member.request("GET", "/api/search/semantic", params={"q": "防晒", "limit": 1}).status_code == 200
    assert member.request("GET", "/api/search/semantic").status_code == 422
    vectors = "/v1/search/vectors"
    inner = ("orchestration-service", "content-center")
    assert stack.inner(*inner, "GET", f"{vectors}/pending", member.tenant, params={"model": "m", "limit": 1}).status_code == 200
    assert stack.inner(*inner, "GET", f"{vectors}/pending", member.tenant).status_code == 422
    vector = base64.b64encode(struct.pack("<8f", *range(1, 9))).decode()
    kept = {"model": "m", "items": [{"contentId": str(uuid.uuid4()), "version": 1, "vector": vector}]}
    assert stack.inner(*inner, "PUT", vectors, member.tenant, json=kept).status_code == 204
    wish = {"model": "m", "vector": vector, "limit": 1}
    assert stack.inner(*inner, "POST", "/v1/search/semantic", member.tenant, json=wish).status_code == 200
