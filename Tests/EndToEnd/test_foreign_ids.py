"""Whatever the documents list that takes an id, asked by one tenant with an id of another: 404, in the words of an id that never was."""

import json
import re
import uuid

import pytest
import yaml

from provocations.pictures import png
from support import REPOSITORY
from uploads import upload

METHODS = ("get", "post", "put", "patch", "delete")
# What looks like an id and is none, or is the asking tenant's own; each with the reason.
EXCEPTIONS = {
    "/api/vocabulary/brand-words/{word}": "a word of one's own list",
    "/api/vocabulary/banned-words/{word}": "a word of one's own list",
    "/api/openai/v1/models/{id}": "a model's name in the platform's catalogue",
    "/api/ai/providers/{name}": "a name within one's own settings",
    "/api/ai/providers/{name}/key": "a name within one's own settings",
    "/api/ai/models/{provider}/{name}": "names within one's own settings",
    "/api/ai/aliases/{id}": "a name of the platform's catalogue, which all tenants share and no tenant ends",
    "/api/ai/policies/{scene}": "a name within one's own settings",
    "/api/prompts/{name}": "a name that every tenant has; versions of one's own are in test_prompts.py",
    "/api/prompts/{name}/versions": "as above",
    "/api/prompts/{name}/versions/{version}": "as above",
    "/api/prompts/{name}/versions/{version}/preview": "as above",
    "/api/prompts/{name}/diff": "as above",
    "/api/prompts/{name}/labels/{label}": "as above",
    "/api/prompts/{name}/labels/{label}/history": "as above",
    "/api/prompts/{name}/rollback": "as above",
}
# The owner's GET answers 404 too: what it would show has not been made. Nothing else proves less than it seems to.
NOT_MADE = {"/media/jobs/{id}/hls/{playlist}"}
# Where the document's example names things that are not there.
BODIES = {
    "editAsset": {"tags": ["抢来的"]}, "changeAssetFolder": {"name": "抢来的"}, "labelContent": {"tags": ["抢来的"]}, "changeSpace": {"name": "抢来的"},
}


def document(service: str) -> dict:
    return yaml.safe_load((REPOSITORY / "openapi" / f"{service}.yaml").read_text(encoding="utf-8"))


COMMON = document("common")


def resolved(part: dict) -> dict:
    """A parameter or a body, wherever it stands."""
    while "$ref" in part:
        place = part["$ref"].split("#/")[1].split("/")
        part = COMMON
        for name in place:
            part = part[name]
    return part


def routes(service: str) -> list[tuple[str, str, dict]]:
    return [
        (method, path, {**operation, "parameters": [*item.get("parameters", []), *operation.get("parameters", [])]})
        for path, item in document(service)["paths"].items() if "{" in path and path not in EXCEPTIONS
        for method, operation in item.items() if method in METHODS]


def options(operation: dict) -> dict:
    """A request that nothing but the id is wrong with."""
    asked = {"headers": {"If-Match": '"1"', "Idempotency-Key": str(uuid.uuid4())}, "params": {}}
    for parameter in map(resolved, operation["parameters"]):
        if parameter["in"] == "query" and parameter.get("required"):
            # From the first version to the second.
            asked["params"][parameter["name"]] = parameter["schema"].get("minimum", 1) + (parameter["name"] == "to")
    if "requestBody" in operation:
        (schema,) = [media["schema"] for kind, media in resolved(operation["requestBody"])["content"].items() if "json" in kind]
        asked["json"] = BODIES.get(operation["operationId"]) or example(schema)
    return asked


def example(schema: dict) -> dict:
    file = REPOSITORY / "openapi/examples" / f"{schema['$ref'].rsplit('/', 1)[1]}.json"
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ids(stack, member) -> dict[str, dict[str, str]]:
    """Of the first tenant, by the noun that they follow in a path: all of what a tenant can have."""
    def made(path: str, status: int = 201, **body) -> dict:
        answer = member.request("POST", path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        assert answer.status_code == status, f"{path}: {answer.text}"
        return answer.json()

    key = str(uuid.uuid4())
    content = member.draft(topic="只属于一家的选题", count=2, key=key)["contentId"]
    edited = member.request("PATCH", f"/api/contents/{content}", json={"title": "第二版"}, headers={"If-Match": '"1"'})
    assert edited.status_code == 200, edited.text
    ((operation,),) = stack.rows("gateway", "SELECT operation_id FROM idempotency_keys WHERE key = %s", (key,))
    asset = upload(member, png(uuid.uuid4().bytes[:3]))["id"]
    subtitles = upload(member, "1\n00:00 --> 00:01\n只属于一家的字幕\n".encode(), "a.srt", "application/x-subrip")["id"]
    announced = made("/api/assets/multipart", filename="a.mp4", contentType="video/mp4", size=6 << 20, partSize=5 << 20)
    account = str(uuid.uuid4())
    with stack.administrator("content") as connection:
        connection.execute(
            """INSERT INTO account_profiles (tenant_id, account_id, platform, nickname, version, event_id, changed_at)
               VALUES (%s, %s, 'douyin', '店', 1, %s, app_now())""", (member.tenant, account, str(uuid.uuid4())))
    run = made("/api/image-texts", topic="只属于一家的图文", slots=1)["runId"]
    return {
        "contents": {"id": content, "version": "1", "commentId": made(f"/api/contents/{content}/comments", text="短一点")["id"]},
        "spaces": {"id": made("/api/spaces", name=f"空间 {uuid.uuid4()}")["id"]},
        "assets": {"id": asset}, "subtitles": {"id": subtitles}, "arriving": {"id": announced["assetId"]},
        "asset-folders": {"id": made("/api/asset-folders", name=f"夹 {uuid.uuid4()}")["id"]},
        "content-jobs": {"id": made("/api/contents/bulk", 202, action="restore", ids=[content])["id"]},
        "media/jobs": {"id": made("/api/media/jobs", 202, type="probe", assetId=asset)["jobId"], "playlist": "master.m3u8"},
        "materials": {"id": made("/api/materials", kind="file", title="资料", assetIds=[asset])["id"]},
        "accounts": {"id": account},
        "tenant/exports": {"id": made("/api/tenant/exports", 202)["id"]},
        "api-keys": {"id": made("/api/api-keys", name=f"key {uuid.uuid4()}", scopes=["contents:read"])["id"]},
        "runs": {"id": run},
        "ai/budgets": {"id": made("/api/ai/budgets", name="预算", scope="scene", subject=f"s-{uuid.uuid4().hex[:8]}", period="day",
                                  zone="Asia/Shanghai", limitNano="5")["id"]},
        "ai/usage/records": {"operationId": str(operation)},
        "experiments": {"id": made("/api/experiments", prompt="title", arms=[{"name": "a", "version": 0}, {"name": "b", "version": 0}])["id"]},
    }


def filled(path: str, ids: dict[str, dict[str, str]], strange: bool = False) -> str:
    """With real ids; `strange`: with ids that never were."""
    noun = re.match(r"/(?:api|v1)/(.*?)/\{", path)[1]
    if noun == "assets" and path.endswith(("/part-urls", "/parts", "/complete")):
        noun = "arriving"
    if noun == "assets" and path.endswith("/cues"):
        noun = "subtitles"
    assert noun in ids, f"{path} takes an id of which there is none here: make one in `ids`, or say in EXCEPTIONS why not"
    known = ids[noun]
    for name in re.findall(r"\{(\w+)\}", path):
        value = str(uuid.uuid4()) if strange and name.lower().endswith("id") else known[name]
        path = path.replace(f"{{{name}}}", value)
    return path


@pytest.mark.parametrize("service", ["gateway-bff", "content-center"])
def test_a_foreign_id_is_not_found_wherever_one_is_taken(stack, member, stranger, ids, service):
    def ask(who, method: str, path: str, asked: dict):
        if service == "gateway-bff":
            return who.request(method, path, **asked)
        return stack.inner("gateway-bff", service, method, path, who.tenant, **asked)

    wrong = []
    for method, path, operation in routes(service):
        answers = [ask(stranger, method.upper(), filled(path, ids, strange), options(operation)) for strange in (False, True)]
        foreign, missing = [
            (answer.status_code, *(answer.json().get(key) for key in ("code", "title"))) if answer.content else (answer.status_code,)
            for answer in answers]
        if foreign[0] != 404 or foreign != missing:
            wrong.append(f"{method.upper()} {path}: {foreign}, of an unknown id {missing} {answers[0].text[:300]}")
    assert wrong == []
    # The ids are real ones: their owner finds them still, as they were.
    for method, path, operation in routes(service):
        if method == "get" and not path.endswith(tuple(NOT_MADE)):
            answer = ask(member, "GET", filled(path, ids), options(operation))
            assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"


def test_each_exception_is_a_route(ids):
    known = {path for service in ("gateway-bff", "content-center") for path in document(service)["paths"]}
    assert set(EXCEPTIONS) <= known
