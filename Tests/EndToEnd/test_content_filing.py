"""Where contents are kept, what changed in them, and what became of them on accounts, over the running processes."""

import itertools
import json
import uuid

import pika
import pytest

from support import assert_problem, eventually, stream_events


@pytest.fixture(scope="module")
def channel(stack):
    connection = pika.BlockingConnection(pika.URLParameters(stack.env["AMQP_URL"]))
    channel = connection.channel()
    channel.confirm_delivery()
    yield channel
    connection.close()


def uuid7(number: int) -> str:
    """Later numbers sort later."""
    return f"0199a3f0-{number:04x}-7{uuid.uuid4().hex[:3]}-8{uuid.uuid4().hex[:3]}-{uuid.uuid4().hex[:12]}"


def tell(channel, stack, tenant: str, content: str, account: str, task: str, version: int, status: str, event: str) -> None:
    """As delivery-connector-douyin will tell it."""
    body = {
        "specversion": "1.0", "id": event, "source": "delivery-connector-douyin", "type": "publish.status.changed.v1",
        "subject": task, "time": "2026-11-21T02:00:09.000Z", "datacontenttype": "application/json", "tenantid": tenant,
        "version": version,
        "data": {"taskId": task, "contentId": content, "contentVersion": 1, "accountId": account, "platform": "douyin",
                 "status": status},
    }
    channel.basic_publish(
        stack.env.get("AMQP_PREFIX", "") + "marketing.events", "publish.status.changed.v1", json.dumps(body).encode(),
        pika.BasicProperties(
            content_type="application/cloudevents+json", message_id=event, headers={"x-subject": task}, delivery_mode=2),
        mandatory=True)


def test_late_and_repeated_events_end_right(stack, member, channel):
    account = str(uuid.uuid4())
    tasks = [uuid7(1), uuid7(2)]
    steps = [(tasks[0], 2, "failed"), (tasks[1], 1, "publishing"), (tasks[1], 2, "published")]
    contents = []
    for order in itertools.permutations(range(len(steps))):
        content = member.draft(topic="乱序", count=1)["contentId"]
        contents.append(content)
        events = [uuid7(10 + index) for index in range(len(steps))]
        for index in (*order, *order):
            tell(channel, stack, member.tenant, content, account, *steps[index], events[index])
    for content in contents:
        path = f"/api/contents/{content}"
        eventually(
            lambda: len(member.request("GET", f"{path}/publish-status/history").json()["items"]), lambda count: count == 3,
            "all events are written down")
        (standing,) = member.request("GET", f"{path}/publish-status").json()["items"]
        assert (standing["status"], standing["taskId"], standing["taskVersion"]) == ("published", tasks[1], 2)
        assert member.request("GET", path).json()["status"] == "published"


def test_a_content_comes_back_from_the_bin(member, stranger):
    content = member.draft(topic="回收", count=1)["contentId"]
    path = f"/api/contents/{content}"
    assert_problem(stranger.request("DELETE", path), 404)
    assert member.request("DELETE", path).status_code == 204
    assert_problem(member.request("GET", path), 404)
    binned = member.request("GET", "/api/contents", params={"deleted": "true"}).json()["items"]
    assert content in {item["id"] for item in binned}
    assert_problem(stranger.request("POST", f"{path}/restore"), 404)
    assert member.request("POST", f"{path}/restore").json()["id"] == content
    assert member.request("GET", path).status_code == 200


def test_spaces_topics_and_tags_find_contents(member, stranger):
    made = member.request("POST", "/api/spaces", json={"name": f"项目{uuid.uuid4().hex[:8]}"})
    space = made.json()["id"]
    assert member.request("GET", made.headers["Location"]).json()["id"] == space
    content = member.draft(topic="项目", count=1)["contentId"]
    tag = f"标签{uuid.uuid4().hex[:8]}"
    answer = member.request(
        "PATCH", f"/api/contents/{content}/labels", json={"spaceId": space, "topic": "防晒", "tags": [tag]})
    assert answer.status_code == 200, answer.text
    for params in ({"spaceId": space}, {"tag": tag}):
        assert [item["id"] for item in member.request("GET", "/api/contents", params=params).json()["items"]] == [content]
        assert stranger.request("GET", "/api/contents", params=params).json()["items"] == []
    assert_problem(stranger.request("GET", f"/api/spaces/{space}"), 404)
    assert_problem(member.request("DELETE", f"/api/spaces/{space}"), 409, "space.not_empty")


def test_a_diff_shows_the_changed_characters(member):
    content = member.draft(topic="对比", count=1)["contentId"]
    path = f"/api/contents/{content}"
    title = member.request("GET", path).json()["title"]
    assert member.request("PATCH", path, json={"title": title + "！"}, headers={"If-Match": '"1"'}).status_code == 200
    (field,) = member.request("GET", f"{path}/diff", params={"from": 1, "to": 2}).json()["fields"]
    assert field["pointer"] == "/title"
    assert field["runs"] == [{"kind": "same", "text": title}, {"kind": "added", "text": "！"}]


def test_the_stream_shows_how_a_job_on_many_contents_moves(member):
    contents = [member.draft(topic="批量", count=1)["contentId"], str(uuid.uuid4())]
    last = next(stream_events(member, last_event_id=0, seconds=60)).id
    ordered = member.request("POST", "/api/contents/bulk", json={"action": "tag", "ids": contents, "tags": ["批量"]})
    assert ordered.status_code == 202, ordered.text
    seen = []
    for event in stream_events(member, last_event_id=last, seconds=60):
        if event.data.get("subject") == ordered.json()["id"]:
            moved = event.data["data"]
            seen.append((event.type, moved["state"], moved["progress"], moved["done"], moved["refused"]))
            if event.type != "content.job.progressed.v1":
                break
    assert seen == [("content.job.progressed.v1", "running", 50, 1, 0), ("content.job.succeeded.v1", "succeeded", 100, 1, 1)]
