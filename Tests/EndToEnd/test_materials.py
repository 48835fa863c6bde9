"""The closing materials over the running processes: made, approved, offered to orchestration, counted."""

import uuid

from provocations.pictures import png
from support import assert_problem, stream_events
from uploads import upload


def offered(stack, tenant: str, **wish) -> list[dict]:
    """As orchestration asks before it answers a customer."""
    answer = stack.inner("orchestration-service", "content-center", "GET", "/v1/materials/recommended", tenant, params=wish)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_a_price_list_on_its_way_to_a_deal(stack, member, stranger):
    stage, asset = f"报价{uuid.uuid4().hex[:8]}", upload(member, png(uuid.uuid4().bytes[:3]), "报价单.png")["id"]
    new = {"kind": "price_list", "title": "会员通报价单", "assetIds": [asset], "stages": [stage], "customerFacing": True,
           "expiresAt": "2099-01-01T00:00:00+08:00"}
    made = member.request("POST", "/api/materials", json=new, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert made.status_code == 201, made.text
    material, path = made.json()["id"], f"/api/materials/{made.json()['id']}"

    assert offered(stack, member.tenant, stage=stage) == []
    approved = member.request("POST", f"{path}/approve", headers={"If-Match": made.headers["ETag"]})
    assert approved.json()["status"] == "approved", approved.text
    (best,) = offered(stack, member.tenant, stage=stage)
    assert (best["material"]["id"], best["reasons"][0]) == (material, f"适合阶段「{stage}」")
    assert offered(stack, stranger.tenant, stage=stage) == []

    for outcome, event in (("sent", uuid.uuid4()), ("opened", uuid.uuid4()), ("won", uuid.uuid4())):
        for _ in range(2):
            told = stack.inner("orchestration-service", "content-center", "POST", f"/v1/materials/{material}/outcomes", member.tenant,
                               json={"outcome": outcome, "eventId": str(event), "conversationRef": stage})
            assert told.status_code == 200, told.text
    outcomes = member.request("GET", f"{path}/outcomes").json()
    assert (outcomes["sent"], outcomes["opened"], outcomes["won"]) == (1, 1, 1)
    assert offered(stack, member.tenant, stage=stage, conversationRef=stage) == []
    first = member.request("GET", "/api/materials", params={"stage": stage, "sort": "ranking"}).json()["items"][0]
    assert first["outcomes"]["won"] == 1

    assert_problem(member.request("DELETE", f"/api/assets/{asset}"), 409, "asset.in_use")
    edited = member.request("PATCH", path, json={"title": "会员通新报价单"}, headers={"If-Match": approved.headers["ETag"]})
    assert (edited.status_code, edited.json()["status"]) == (200, "draft")
    assert offered(stack, member.tenant, stage=stage) == []
    for method, suffix in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/approve"), ("GET", "/outcomes"), ("POST", "/restore")):
        answer = stranger.request(method, path + suffix, json=None if method == "GET" else {}, headers={"If-Match": '"3"'})
        assert_problem(answer, 404, "material.not_found")


def test_people_see_what_happens_to_materials(member):
    made = member.request("POST", "/api/materials", json={"kind": "script", "title": "看得见", "text": "话术"}).json()["id"]
    for event in stream_events(member, last_event_id=0):
        if event.type == "material.changed.v1" and event.data["subject"] == made:
            assert event.data["data"]["action"] == "created"
            return
