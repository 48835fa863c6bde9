"""The review of a content (审批) through the gateway: who writes submits, who reviews approves one exact version."""

import uuid

import pytest

from support import Member, assert_problem, stream_events


@pytest.fixture(scope="module")
def writer(stack, member) -> Member:
    """An operator (运营) of the same tenant."""
    user, email = str(uuid.uuid4()), f"writer-{uuid.uuid4().hex[:8]}@example.com"
    with stack.administrator("gateway") as connection:
        connection.execute(
            "INSERT INTO users (id, email, password_hash) SELECT %s, %s, password_hash FROM users WHERE email = %s",
            (user, email, stack.env["DEMO_EMAIL"]))
        connection.execute(
            "INSERT INTO memberships (tenant_id, user_id, roles) VALUES (%s, %s, %s)", (member.tenant, user, ["operator"]))
    return Member(stack, email, member.password).sign_in()


def move(who: Member, content: str, action: str, tag: str, **body):
    return who.request("POST", f"/api/contents/{content}/{action}", json=body, headers={"If-Match": tag})


def approved(writer: Member, member: Member) -> tuple[str, str]:
    content = writer.draft(topic="送审", count=1)["contentId"]
    assert move(writer, content, "submit", '"1"').status_code == 200
    answer = move(member, content, "approve", '"1"', note="可以发")
    assert answer.status_code == 200, answer.text
    return content, answer.headers["ETag"]


def test_a_writer_hands_in_and_a_reviewer_approves(writer, member):
    content, tag = approved(writer, member)
    assert tag == '"1.3"'
    shown = writer.request("GET", f"/api/contents/{content}", headers={"If-None-Match": '"1"'})
    assert shown.status_code == 200
    assert shown.json()["status"] == "approved"
    lines = member.request("GET", f"/api/contents/{content}/reviews").json()["items"]
    assert [(line["action"], line["from"], line["to"]) for line in lines] == [
        ("approve", "in_review", "approved"), ("submit", "draft", "in_review")]
    assert lines[0]["note"] == "可以发"
    assert lines[0]["actor"] != lines[1]["actor"]


def test_a_writer_approves_nothing(writer, member):
    content = member.draft(topic="越权", count=1)["contentId"]
    assert move(writer, content, "submit", '"1"').status_code == 200
    for action in ("approve", "hold", "release", "request-changes"):
        assert_problem(move(writer, content, action, '"1"', note="试试"), 403, "auth.permission_missing")
    assert member.request("GET", f"/api/contents/{content}").json()["status"] == "in_review"


def test_an_edit_takes_the_approval_back(writer, member):
    content, tag = approved(writer, member)
    edited = writer.request("PATCH", f"/api/contents/{content}", json={"title": "悄悄改"}, headers={"If-Match": tag})
    assert edited.status_code == 200
    assert edited.json()["status"] == "draft"
    first = member.request("GET", f"/api/contents/{content}/reviews").json()["items"][0]
    assert (first["action"], first["from"], first["to"]) == ("edit", "approved", "draft")


def test_what_was_not_read_is_not_approved(writer, member):
    content = writer.draft(topic="没看过", count=1)["contentId"]
    assert move(writer, content, "submit", '"1"').status_code == 200
    assert writer.request(
        "PATCH", f"/api/contents/{content}", json={"title": "换了"}, headers={"If-Match": '"1"'}).status_code == 200
    assert_problem(move(member, content, "approve", '"1"'), 412, "content.version_conflict")


def test_the_stream_tells_of_it(writer, member):
    content, _ = approved(writer, member)
    seen = []
    for event in stream_events(member, last_event_id=0):
        if event.data.get("subject") == content and event.type == "content.status.changed.v1":
            seen.append(event.data["data"]["status"])
            if seen[-1] == "approved":
                break
    assert seen == ["in_review", "approved"]


def test_comments_belong_to_versions_and_places(writer, member):
    content = writer.draft(topic="批注", count=1)["contentId"]
    path = f"/api/contents/{content}/comments"
    made = member.request("POST", path, json={"text": "太长", "pointer": "/body/candidates/0/title"})
    assert made.status_code == 201, made.text
    comment = f"{path}/{made.json()['id']}"
    assert_problem(writer.request("POST", path, json={"text": "x", "pointer": "/body/none"}), 422, pointers={"/pointer"})
    assert writer.request("POST", f"{comment}/resolve").json()["resolvedBy"] != made.json()["author"]
    assert [item["text"] for item in writer.request("GET", path, params={"resolved": "true"}).json()["items"]] == ["太长"]
    assert member.request("DELETE", comment).status_code == 204


def test_another_tenant_finds_none_of_it(writer, member, stranger):
    content, _ = approved(writer, member)
    comment = member.request("POST", f"/api/contents/{content}/comments", json={"text": "一"}).json()["id"]
    for method, path, options in (
        ("POST", "/approve", {"json": {}, "headers": {"If-Match": '"1"'}}), ("GET", "/reviews", {}), ("GET", "/comments", {}),
        ("POST", "/comments", {"json": {"text": "x"}}), ("DELETE", f"/comments/{comment}", {}),
        ("POST", f"/comments/{comment}/resolve", {}),
    ):
        assert_problem(stranger.request(method, f"/api/contents/{content}{path}", **options), 404)
