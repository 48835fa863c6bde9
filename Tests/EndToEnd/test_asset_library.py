"""The asset library over the running processes: folders, tags, rights that end, where an asset is used."""

import datetime
import uuid

import pytest
import requests

from provocations.assets import show_in_a_content
from provocations.pictures import png
from support import assert_problem, stream_events
from uploads import upload


def edit(member, asset: dict, **fields) -> requests.Response:
    path = f"/api/assets/{asset['id']}"
    tag = member.request("GET", path).headers["ETag"]
    return member.request("PATCH", path, json=fields, headers={"If-Match": tag})


@pytest.fixture(scope="module")
def folder(member) -> dict:
    answer = member.request("POST", "/api/asset-folders", json={"name": f"夏季{uuid.uuid4().hex[:8]}"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_folders_and_tags_find_assets(member, folder):
    tag = f"标签{uuid.uuid4().hex[:8]}"
    inner = member.request("POST", "/api/asset-folders", json={"name": "内", "parentId": folder["id"]}).json()
    asset = upload(member, png(uuid.uuid4().bytes[:3]), folderId=inner["id"], tags=[tag])
    for params in ({"folderId": inner["id"]}, {"folderId": folder["id"], "recursive": "true"}, {"tag": tag}):
        found = member.request("GET", "/api/assets", params=params).json()["items"]
        assert [item["id"] for item in found] == [asset["id"]], params
    assert member.request("GET", "/api/assets", params={"folderId": folder["id"]}).json()["items"] == []
    assert_problem(member.request("DELETE", f"/api/asset-folders/{inner['id']}"), 409, "folder.not_empty")
    assert_problem(
        member.request("PATCH", f"/api/asset-folders/{folder['id']}", json={"parentId": inner["id"]}), 422, pointers={"/parentId"})


def test_another_tenant_finds_nothing_and_puts_nothing_there(member, stranger, folder):
    asset = upload(member, png(uuid.uuid4().bytes[:3]))
    for method, path, body in (
        ("GET", f"/api/asset-folders/{folder['id']}", None), ("PATCH", f"/api/asset-folders/{folder['id']}", {}),
        ("DELETE", f"/api/asset-folders/{folder['id']}", None), ("GET", f"/api/assets/{asset['id']}/uses", None),
    ):
        assert_problem(stranger.request(method, path, json=body), 404)
    answer = stranger.request("PATCH", f"/api/assets/{asset['id']}", json={"tags": []}, headers={"If-Match": '"1"'})
    assert_problem(answer, 404, "asset.not_found")
    own = upload(stranger, png(uuid.uuid4().bytes[:3]))
    assert_problem(edit(stranger, own, folderId=folder["id"]), 422, pointers={"/folderId"})
    answer = stranger.request("POST", "/api/assets/organize", json={"assetIds": [own["id"], asset["id"]], "addTags": ["x"]})
    assert_problem(answer, 422, pointers={"/assetIds/1"})
    answer = stranger.request(
        "POST", "/api/assets/presign", json={"filename": "a.png", "contentType": "image/png", "folderId": folder["id"]})
    assert_problem(answer, 422, pointers={"/folderId"})


def test_rights_that_end_are_told_on_the_stream(member):
    asset = upload(member, png(uuid.uuid4().bytes[:3]))
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=20)
    answer = edit(member, asset, rights={"holder": "青禾摄影", "expiresAt": end.isoformat()})
    assert (answer.status_code, answer.json()["rightsState"]) == (200, "expiring"), answer.text
    assert edit(member, asset, rights={"expiresAt": "2020-01-01T00:00:00Z"}).json()["rightsState"] == "expired"
    seen = []
    for event in stream_events(member, last_event_id=0):
        if event.type.startswith("asset.rights.") and event.data.get("subject") == asset["id"]:
            seen.append((event.type, event.data["data"].get("days")))
        if len(seen) == 2:
            break
    assert seen == [("asset.rights.expiring.v1", 30), ("asset.rights.expired.v1", None)]
    assert asset["id"] in {item["id"] for item in member.request("GET", "/api/assets", params={"rights": "expired"}).json()["items"]}


def test_an_expired_asset_is_flagged_where_it_is_used_and_stays_while_it_is(stack, member):
    shown = show_in_a_content(stack, member.tenant, png(uuid.uuid4().bytes[:3]))
    path = f"/api/assets/{shown}"
    (use,) = member.request("GET", f"{path}/uses").json()["items"]
    assert (use["current"], use["places"], use["rightsExpired"]) == (True, ["/body/slots/0/assetId"], False)
    answer = edit(member, {"id": shown}, rights={"holder": "青禾摄影", "expiresAt": "2020-01-01T00:00:00Z"})
    assert answer.status_code == 200, answer.text
    (use,) = member.request("GET", f"{path}/uses").json()["items"]
    assert use["rightsExpired"] is True
    assert_problem(member.request("DELETE", path), 409, "asset.in_use")
