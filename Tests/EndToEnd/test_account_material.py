"""Profiles and avatars of bound accounts, told by the connector's events over the running broker."""

import base64
import itertools
import json
import uuid

import pika
import pytest

from provocations.pictures import png
from support import assert_problem, eventually

TYPES = ("account.bound.v1", "account.profile.changed.v1", "account.unbound.v1", "account.bound.v1")


@pytest.fixture(scope="module")
def channel(stack):
    connection = pika.BlockingConnection(pika.URLParameters(stack.env["AMQP_URL"]))
    channel = connection.channel()
    channel.confirm_delivery()
    yield channel
    connection.close()


def tell(channel, stack, tenant: str, account: str, version: int, avatar: bytes, event: str) -> None:
    """As delivery-connector-douyin tells it."""
    kind = TYPES[version - 1]
    data = {"accountId": account, "platform": "douyin"}
    if kind != "account.unbound.v1":
        data |= {"nickname": f"店 {version}", "followerCount": version,
                 "avatar": {"mediaType": "image/png", "data": base64.b64encode(avatar).decode()}}
    body = {"specversion": "1.0", "id": event, "source": "delivery-connector-douyin", "type": kind, "subject": account,
            "time": "2026-11-21T02:00:09.000Z", "datacontenttype": "application/json", "tenantid": tenant, "version": version, "data": data}
    channel.basic_publish(
        stack.env.get("AMQP_PREFIX", "") + "marketing.events", kind, json.dumps(body).encode(),
        pika.BasicProperties(
            content_type="application/cloudevents+json", message_id=event, headers={"x-subject": account}, delivery_mode=2),
        mandatory=True)


def test_late_and_repeated_events_end_right(stack, member, stranger, channel):
    avatar, accounts = png(uuid.uuid4().bytes[:3]), []
    for order in itertools.permutations((1, 2, 3, 4)):
        account = str(uuid.uuid4())
        accounts.append(account)
        events = {version: str(uuid.uuid4()) for version in order}
        for version in (*order, *order):
            tell(channel, stack, member.tenant, account, version, avatar, events[version])
    for account in accounts:
        path = f"/api/accounts/{account}/material"
        known = eventually(
            lambda: member.request("GET", path).json(), lambda answer: answer.get("version") == 4, "the last event has come")
        assert (known["nickname"], known["followerCount"]) == ("店 4", 4)
        assert_problem(stranger.request("GET", path), 404)
    assert member.request("GET", f"/api/assets/{known['avatarAssetId']}/content").content == avatar
    # A late word of an older state changes nothing.
    tell(channel, stack, member.tenant, accounts[0], 3, avatar, str(uuid.uuid4()))
    tell(channel, stack, member.tenant, accounts[1], 2, avatar, str(uuid.uuid4()))
    inbox = "SELECT count(*) FROM inbox WHERE tenant_id = %s AND consumer LIKE '%%account-material'"
    eventually(lambda: stack.rows("content", inbox, (member.tenant,))[0][0], lambda count: count >= 4 * 24 + 2, "both were heard")
    for account in accounts[:2]:
        assert member.request("GET", f"/api/accounts/{account}/material").json()["version"] == 4
