import requests


def provoke(stack, member) -> None:
    assert requests.get(stack.url("gateway-bff", "/api/stream"), timeout=10).status_code == 401
