"""Flow TitleGeneration as a new user walks through it: sign in, write titles, find the draft, edit it, watch the stream."""

import itertools
import uuid

import jwt
import requests

from support import CALL_MAP, assert_problem, eventually, stream_events


def test_signing_in_gives_a_token_that_the_published_key_verifies(stack, member):
    assert member.login["tokenType"] == "Bearer"
    assert member.login["expiresIn"] == 900
    keys = jwt.PyJWKClient(stack.url("gateway-bff", "/.well-known/jwks.json"))
    token = member.login["accessToken"]
    claims = jwt.decode(token, keys.get_signing_key_from_jwt(token).key, algorithms=["EdDSA"], options={"verify_aud": False})
    assert claims["exp"] - claims["iat"] == 900


def test_titles_become_a_draft(stack, member):
    answer = member.titles("办公室低卡午餐", count=5, platform="xiaohongshu", keywords=["低卡"])
    assert answer.status_code == 201, answer.text
    titles = answer.json()
    assert answer.headers["Location"] == f"/api/contents/{titles['contentId']}"
    assert (titles["status"], titles["version"]) == ("draft", 1)
    assert len(titles["candidates"]) == 5
    texts = [candidate["title"] for candidate in titles["candidates"]]
    assert len(set(texts)) == 5 and all(0 < len(text) <= 20 for text in texts), texts
    assert all(0 <= candidate["score"] <= 100 and candidate["reasons"] for candidate in titles["candidates"])
    assert titles["requestId"] == answer.headers["X-Request-Id"]
    assert {"RateLimit", "RateLimit-Policy"} <= set(answer.headers)

    found = member.request("GET", answer.headers["Location"])
    assert found.status_code == 200 and found.headers["ETag"] == '"1"'
    content = found.json()
    assert content["kind"] == "title_set" and content["body"]["platform"] == "xiaohongshu"
    assert [candidate["title"] for candidate in content["body"]["candidates"]] == texts
    assert content["source"]["kind"] == ("template" if titles["provider"] == "template" else "model")
    unchanged = member.request("GET", answer.headers["Location"], headers={"If-None-Match": '"1"'})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_the_draft_arrives_in_the_ledger_and_in_the_activity(stack, member):
    key = f"ledger-{uuid.uuid4()}"
    titles = member.draft(topic="跑步新手装备", key=key)
    ((operation,),) = stack.rows("gateway", "SELECT operation_id FROM idempotency_keys WHERE key = %s AND state = 'done'", (key,))
    assert stack.rows("content", "SELECT content_id FROM content_versions WHERE operation_id = %s", (operation,)) == [
        (uuid.UUID(titles["contentId"]),)]
    assert len(stack.rows("agent", "SELECT 1 FROM ai_usage_ledger WHERE operation_id = %s", (operation,))) == 1
    eventually(
        lambda: len(stack.rows("orchestration", "SELECT 1 FROM content_activity WHERE content_id = %s", (titles["contentId"],))),
        lambda count: count == 1, "activity rows")


def test_the_same_key_gives_the_same_answer_and_nothing_new(stack, member):
    key = f"replay-{uuid.uuid4()}"
    first = member.titles("露营咖啡", key=key)
    again = member.titles("露营咖啡", key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    assert again.content == first.content and again.headers["Location"] == first.headers["Location"]
    assert_problem(member.titles("另一个话题", key=key), 422)
    ((count,),) = stack.rows("content", "SELECT count(*) FROM contents WHERE id = %s", (first.json()["contentId"],))
    assert count == 1


def test_second_edit_makes_a_version_and_refuses_a_stale_one(member):
    titles = member.draft(topic="周末亲子手工", count=3)
    path = f"/api/contents/{titles['contentId']}"
    kept = titles["candidates"][1]
    patch = {"candidates": [{"title": "周末在家，3步做出会转的风车"}, {"title": kept["title"]}], "selected": 0}

    assert_problem(member.request("PATCH", path, json=patch), 428)
    edited = member.request("PATCH", path, json=patch, headers={"If-Match": '"1"'})
    assert edited.status_code == 200 and edited.headers["ETag"] == '"2"', edited.text
    body = edited.json()["body"]
    assert body["selected"] == 0
    assert "score" not in body["candidates"][0] and body["candidates"][0]["formula"] == "manual"
    assert body["candidates"][1]["score"] == kept["score"]
    assert edited.json()["source"]["kind"] == "human"
    assert_problem(member.request("PATCH", path, json={"title": "迟到的修改"}, headers={"If-Match": '"1"'}), 412)

    versions = member.request("GET", f"{path}/versions").json()["items"]
    assert [version["version"] for version in versions] == [2, 1]
    assert [candidate["title"] for candidate in versions[1]["body"]["candidates"]] == [
        candidate["title"] for candidate in titles["candidates"]]


def test_lists_page_by_cursor_without_gap_or_repeat(member):
    made = [member.draft(topic=f"分页话题{number}", count=1)["contentId"] for number in range(3)]
    seen, cursor = [], None
    for _ in range(2000):
        page = member.request("GET", "/api/contents", params={"limit": 2, "kind": "title_set", "status": "draft",
                                                              **({"cursor": cursor} if cursor else {})}).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page.get("nextCursor")
        if cursor is None or set(made) <= set(seen):
            break
    assert len(seen) == len(set(seen))
    assert [entry for entry in seen if entry in made] == list(reversed(made))
    assert_problem(member.request("GET", "/api/contents", params={"cursor": "never-made"}), 422, pointers={"?cursor"})


def test_the_stream_shows_what_happens_and_resumes_where_it_stopped(member):
    titles = member.draft(topic="城市骑行路线", count=2)
    path = f"/api/contents/{titles['contentId']}"

    def about_it(events):
        return (event for event in events if event.data.get("subject") == titles["contentId"])

    created = next(about_it(stream_events(member, last_event_id=0)))
    assert created.type == "content.draft.created.v1"
    assert created.data["data"]["contentId"] == titles["contentId"]

    member.request("PATCH", path, json={"title": "骑行"}, headers={"If-Match": '"1"'}).raise_for_status()
    resumed = list(itertools.islice(about_it(stream_events(member, last_event_id=created.id)), 1))
    assert [event.type for event in resumed] == ["content.version.created.v1"]
    assert resumed[0].id > created.id
    assert_problem(member.request("GET", "/api/stream", headers={"Last-Event-ID": "yesterday"}), 422)


def test_english_problems_for_those_who_ask(member):
    answer = member.request("POST", "/api/titles", json={"topic": ""}, headers={"Accept-Language": "en"})
    assert "letter" in answer.text or answer.json()["title"].isascii()
    assert not member.request("POST", "/api/titles", json={"topic": ""}).json()["title"].isascii()


WITH_EVENTS = ("gateway-bff", "orchestration-service", "agent-center", "content-center")


def test_every_service_tells_how_it_is(stack):
    for service in ("gateway-bff", "orchestration-service", "agent-center", "content-center", "delivery-connector-douyin"):
        assert requests.get(stack.url(service, "/healthz"), timeout=5).status_code == 200
        ready = requests.get(stack.url(service, "/readyz"), timeout=5)
        assert ready.status_code == 200
        checks = {check["name"]: (check["status"], check["hard"]) for check in ready.json()["checks"]}
        # One's own database decides; the broker, where events come or go, and those that one calls are shown only (design §9).
        soft = {*CALL_MAP["services"][service], *(["broker"] if service in WITH_EVENTS else [])}
        models = {name for name in checks if service == "agent-center" and name.startswith("model:")}
        wanted = {"database": ("ok", True), "schema": ("ok", True)} | dict.fromkeys(soft | models, ("ok", False))
        assert checks == wanted and bool(models) == (service == "agent-center"), service
        assert len(checks) == len(ready.json()["checks"])
        metrics = requests.get(stack.url(service, "/metrics"), timeout=5)
        assert metrics.status_code == 200 and "# TYPE " in metrics.text
