import uuid


def provoke(stack, member) -> None:
    account = str(uuid.uuid4())
    with stack.administrator("content") as connection:
        connection.execute(
            "INSERT INTO account_profiles (tenant_id, account_id, platform, nickname, version, event_id, changed_at)"
            " VALUES (%s, %s, 'douyin', '店', 1, gen_random_uuid(), now())", (member.tenant, account))
    for call in (lambda path: member.request("GET", f"/api{path}"),
                 lambda path: stack.inner("gateway-bff", "content-center", "GET", f"/v1{path}", member.tenant)):
        assert call(f"/accounts/{account}/material").status_code == 200
        assert call(f"/accounts/{uuid.uuid4()}/material").status_code == 404
