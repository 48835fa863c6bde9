"""What a service could not handle is looked at, and handed out again, by its own executable."""

import base64
import json
import os
import pathlib
import subprocess
import uuid

import pika
import pytest

from provocations.pictures import png
from support import eventually
from test_account_material import channel, tell  # noqa: F401  The fixture.

SERVICE, QUEUE = "content-center", "content-center.account-material"


def parking(stack, *arguments: str) -> list[str]:
    """`<service> parking …`, as an operator beside the running service calls it; its lines."""
    pid = stack.pid(SERVICE)
    environment = dict(
        entry.split("=", 1) for entry in pathlib.Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in entry)
    result = subprocess.run(
        [os.readlink(f"/proc/{pid}/exe"), "parking", *arguments], env=environment, capture_output=True, text=True, timeout=120,
        check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def parked(stack) -> dict[str, dict]:
    return {message["messageId"]: message for message in map(json.loads, parking(stack, "list", QUEUE))}


@pytest.fixture
def emptied(channel):  # noqa: F811
    yield
    channel.queue_purge(f"{QUEUE}.parking")


def test_what_was_parked_is_listed_and_handed_out_again(stack, member, channel, emptied):  # noqa: F811
    # The service parks what it cannot read: an event that says it is a profile, with a picture that is none.
    wrong = str(uuid.uuid4())
    tell(channel, stack, member.tenant, str(uuid.uuid4()), 1, b"no picture", wrong)
    seen = eventually(lambda: parked(stack), lambda messages: wrong in messages, "it is parked", seconds=60)[wrong]
    assert (seen["routingKey"], seen["attempts"]) == ("account.bound.v1", 1) and "avatar" in seen["reason"]
    assert json.loads(seen["body"])["id"] == wrong
    # Looked at, it is still there. Beside it, one that could be handled by now.
    account, right = str(uuid.uuid4()), str(uuid.uuid4())
    body = json.loads(seen["body"]) | {"id": right, "subject": account}
    body["data"] |= {"accountId": account}
    body["data"]["avatar"]["data"] = base64.b64encode(png(uuid.uuid4().bytes[:3])).decode()
    channel.basic_publish(
        "", f"{QUEUE}.parking", json.dumps(body).encode(), pika.BasicProperties(
            content_type="application/cloudevents+json", message_id=right, delivery_mode=2,
            headers={"x-subject": account, "x-original-routing-key": "account.bound.v1", "x-attempt": 3, "x-reason": "a bad day"}),
        mandatory=True)
    listed = parked(stack)
    assert {wrong, right} <= listed.keys() and listed[right]["reason"] == "a bad day"
    assert parking(stack, "replay", QUEUE) == [f"replayed {len(listed)}"]
    # The one is done, the other parked anew as after a first attempt.
    path = f"/api/accounts/{account}/material"
    eventually(lambda: member.request("GET", path).status_code, lambda status: status == 200, "it was handled", seconds=60)
    again = eventually(lambda: parked(stack), lambda messages: wrong in messages, "it is parked again", seconds=60)
    assert again[wrong]["attempts"] == 1 and right not in again
