import uuid

import requests

from . import click_twice, refusals
from .pictures import png


def provoke(stack, member) -> None:
    ways = (lambda method, path, **options: member.request(method, f"/api{path}", **options),
            lambda method, path, **options: stack.inner("gateway-bff", "content-center", method, f"/v1{path}", member.tenant, **options))
    for call in ways:
        folder = provoke_folders(call)
        provoke_assets(call, folder)
    # Somebody else is just taking the name.
    name = f"双击{uuid.uuid4().hex[:8]}"
    click_twice(
        stack, member, "/api/asset-folders", "INSERT INTO asset_folders (tenant_id, id, name, created_by) VALUES (%s, %s, %s, 'x')",
        (member.tenant, str(uuid.uuid4()), name), json={"name": name})


def provoke_folders(call) -> str:
    name = f"文件夹{uuid.uuid4().hex[:8]}"
    made = call("POST", "/asset-folders", json={"name": name})
    assert made.status_code == 201, made.text
    folder = f"/asset-folders/{made.json()['id']}"
    inner = call("POST", "/asset-folders", json={"name": "内", "parentId": made.json()["id"]}).json()["id"]
    assert call("POST", "/asset-folders", json={"name": name}).status_code == 409
    refusals(call, "POST", "/asset-folders")
    refusals(call, "PATCH", folder)
    assert call("GET", "/asset-folders").status_code == 200
    assert call("GET", "/asset-folders", params={"limit": 0}).status_code == 422
    assert call("GET", folder).status_code == 200
    other = f"/asset-folders/{call('POST', '/asset-folders', json={'name': name + '二'}).json()['id']}"
    assert call("PATCH", other, json={"name": name}).status_code == 409
    assert call("PATCH", other, json={"name": name + "三"}).status_code == 200
    assert call("DELETE", folder).status_code == 409
    assert call("DELETE", other).status_code == 204
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        assert call(method, f"/asset-folders/{uuid.uuid4()}", json=body).status_code == 404
    return inner


def provoke_assets(call, folder: str) -> None:
    announced = call("POST", "/assets/presign", json={"filename": "a.png", "contentType": "image/png"}).json()
    sent = requests.put(announced["uploadUrl"], data=png(uuid.uuid4().bytes[:3]), headers=announced["headers"], timeout=10)
    assert sent.status_code == 200
    path = f"/assets/{announced['assetId']}"
    assert call("POST", f"{path}/complete").status_code == 200
    tag = call("GET", path).headers["ETag"]
    assert call("GET", path, headers={"If-None-Match": tag}).status_code == 304
    refusals(call, "PATCH", path, **{"If-Match": tag})
    assert call("PATCH", path, json={}).status_code == 428
    assert call("PATCH", path, json={"tags": ["夏季"]}, headers={"If-Match": tag}).status_code == 200
    assert call("PATCH", path, json={"tags": []}, headers={"If-Match": tag}).status_code == 412
    assert call("PATCH", f"/assets/{uuid.uuid4()}", json={}, headers={"If-Match": tag}).status_code == 404
    assert call("POST", "/assets/organize", json={"assetIds": [announced["assetId"]], "folderId": folder}).json() == {"changed": 1}
    refusals(call, "POST", "/assets/organize")
    assert {"tag": "夏季", "assets": 1} in call("GET", "/assets/tags", params={"prefix": "夏季"}).json()["items"]
    assert call("GET", "/assets/tags", params={"limit": 0}).status_code == 422
    assert call("POST", "/assets/tags/rename", json={"from": ["夏季"], "to": f"夏{uuid.uuid4().hex}"}).json()["isComplete"]
    refusals(call, "POST", "/assets/tags/rename")
    assert call("GET", f"{path}/uses").json() == {"items": [], "holders": []}
    assert call("GET", f"{path}/uses", params={"limit": 0}).status_code == 422
    assert call("GET", f"/assets/{uuid.uuid4()}/uses").status_code == 404
