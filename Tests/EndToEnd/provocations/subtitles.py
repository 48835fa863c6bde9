import uuid

from uploads import upload

from . import click_twice, refusals
from .pictures import png

EDIT = {"cues": [{"startMs": 0, "endMs": 900, "lines": ["各位好"]}]}


def provoke(stack, member) -> None:
    def file(text: str) -> str:
        return upload(member, text.encode(), "a.srt", "application/x-subrip")["id"]

    picture, good, broken = upload(member, png(uuid.uuid4().bytes[:3]))["id"], file("1\n00:00 --> 00:01\n大家好\n"), file("1\n00:00 --> 00:01\n大家好\n\n没有时间\n")
    for call in (lambda method, asset, **options: member.request(method, f"/api/assets/{asset}/cues", **options),
                 lambda method, asset, **options: stack.inner(
                     "gateway-bff", "content-center", method, f"/v1/assets/{asset}/cues", member.tenant, **options)):
        read = call("GET", good)
        assert read.status_code == 200, read.text
        assert call("GET", good, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
        assert call("GET", broken).json()["errors"][0]["code"] == "no_times"
        assert call("GET", picture).status_code == call("POST", picture, json=EDIT).status_code == 409
        assert call("GET", uuid.uuid4()).status_code == call("POST", uuid.uuid4(), json=EDIT).status_code == 404
        refusals(call, "POST", good)
        assert call("POST", good, json=EDIT).status_code == 201
    click_twice(
        stack, member, f"/api/assets/{good}/cues", "SELECT FROM content_assets WHERE tenant_id = %s AND id = %s FOR UPDATE",
        (member.tenant, good), json=EDIT)
