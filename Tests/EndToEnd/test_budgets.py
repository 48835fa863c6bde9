"""Budgets under a thousand calls at once, through the real service, the real database and the sandbox's model; and again with kill -9 of
agent-center in the middle. A tenant of the test's own each time: nothing else runs in its budgets."""

import asyncio
import json
import os
import resource
import signal
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import requests

from support import Stack, assert_problem, eventually

CALLS = 1_000
CAP = 100
PICTURE_NANO = 42_000_000
ADMIN = ("ai:admin", "ai:usage")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: dict | None


class Tenant:
    """One that only agent-center knows of: what the signed context says is who it is."""

    def __init__(self, stack: Stack):
        self.stack, self.id = stack, str(uuid.uuid4())
        self.topic = f"预算{uuid.uuid4().hex[:10]}"

    def admin(self, method: str, path: str, **options) -> requests.Response:
        token = self.stack.context_token("gateway-bff", "agent-center", self.id, scopes=ADMIN)
        return self.stack.inner("gateway-bff", "agent-center", method, f"/v1/ai{path}", self.id, token=token, **options)

    def budget(self, **fields) -> str:
        answer = self.admin("POST", "/budgets", json={
            "name": "测试", "scope": "tenant", "period": "month", "zone": "Asia/Shanghai", **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def standing(self, budget: str) -> dict:
        return self.admin("GET", f"/budgets/{budget}").json()["current"]

    def titles(self, topic: str = "") -> dict:
        return {"topic": topic or self.topic, "platform": "douyin", "sellingPoints": [], "keywords": [], "bannedWords": [], "brandWords": [],
                "count": 3, "maxLength": 30, "model": "auto"}

    def ledger(self) -> dict[str, tuple]:
        """By operation: provider, calls, cost."""
        rows = self.stack.rows(
            "agent", "SELECT operation_id, provider, calls, cost_nano FROM ai_usage_ledger WHERE tenant_id = %s", (self.id,))
        assert len({row[0] for row in rows}) == len(rows)
        return {str(row[0]): row[1:] for row in rows}

    def reservations(self) -> int:
        return self.stack.rows("agent", "SELECT count(*) FROM ai_reservations WHERE tenant_id = %s", (self.id,))[0][0]

    def check_books(self, budget: str) -> tuple[int, int]:
        """Counters and ledger say the same, and nothing is set aside. Answers calls and money."""
        ledger = self.ledger().values()
        calls, cost = sum(row[1] for row in ledger), sum(row[2] for row in ledger)
        standing = self.standing(budget)
        assert (standing["settledCalls"], int(standing["settledNano"])) == (calls, cost)
        assert (standing["reservedCalls"], standing["reservedNano"]) == (0, "0")
        assert self.reservations() == 0
        return calls, cost

    def at_once(self, path: str, body: dict | Callable[[str], dict], operations: list[str], midway=None) -> dict[str, Answer | None]:
        """Every call on a connection of its own, all in flight together. None: no answer. `body` may be another for each operation;
        `midway` is called once, after the first were served."""
        bodies = {operation: json.dumps(body(operation) if callable(body) else body).encode() for operation in operations}
        return asyncio.run(self._at_once(path, bodies, midway))

    async def _at_once(self, path: str, bodies: dict[str, bytes], midway) -> dict[str, Answer | None]:
        token = self.stack.context_token("orchestration-service", "agent-center", self.id)
        url = urlsplit(self.stack.url("agent-center"))
        answers: dict[str, Answer | None] = {}

        async def send(operation: str, body: bytes) -> None:
            head = (f"POST {path} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
                    f"X-Operation-Id: {operation}\r\nX-Deadline-Ms: 20000\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n")
            answers[operation] = None
            try:
                reader, writer = await asyncio.open_connection(url.hostname, url.port)
                writer.write(head.encode() + body)
                answers[operation] = parsed(await asyncio.wait_for(reader.read(), 60))
                writer.close()
            except (OSError, asyncio.TimeoutError):
                pass
            nonlocal midway
            if midway is not None and sum(answer is not None and answer.status == 200 for answer in answers.values()) >= CAP // 4:
                call, midway = midway, None
                call()

        await asyncio.gather(*(send(operation, body) for operation, body in bodies.items()))
        return answers


def parsed(raw: bytes) -> Answer | None:
    head, separator, body = raw.partition(b"\r\n\r\n")
    if not separator:
        return None
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if len(body) < int(headers.get("content-length", 0)):
        return None
    return Answer(int(lines[0].split()[1]), headers, json.loads(body) if body else None)


@pytest.fixture(scope="module", autouse=True)
def many_connections():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture
def tenant(stack) -> Tenant:
    return Tenant(stack)


def check_refused(answers: dict[str, Answer | None], budget: str) -> None:
    for answer in answers.values():
        if answer.status == 429:
            assert answer.body["code"] == "budget.exhausted" and answer.body["retryable"] is True, answer.body
            assert 1 <= int(answer.headers["retry-after"]) <= 31 * 86_400
            assert answer.body["budgetId"] == budget and "预算“测试”" in answer.body["detail"]


def operations() -> list[str]:
    return [str(uuid.uuid4()) for _ in range(CALLS)]


def test_a_thousand_calls_at_once_under_a_cap_of_a_hundred_calls(tenant):
    budget = tenant.budget(limitCalls=CAP)
    answers = tenant.at_once("/v1/titles", tenant.titles(), operations())
    assert Counter(answer and answer.status for answer in answers.values()) == {200: CAP, 429: CALLS - CAP}
    check_refused(answers, budget)
    served = {operation: answer.body for operation, answer in answers.items() if answer.status == 200}
    assert {body["provider"] for body in served.values()} == {"openai"}
    ledger = tenant.ledger()
    assert {operation: str(row[2]) for operation, row in ledger.items()} == {
        operation: body["usage"]["costNano"] for operation, body in served.items()}
    assert tenant.check_books(budget) == (CAP, sum(int(body["usage"]["costNano"]) for body in served.values()))
    assert tenant.standing(budget)["remainingCalls"] == 0


def test_a_thousand_pictures_at_once_under_a_cap_of_the_price_of_a_hundred(stack, tenant):
    budget = tenant.budget(limitNano=str(CAP * PICTURE_NANO))
    picture = {"step": "image:1", "scene": "douyin-image-text-zh", "provider": "openai", "model": "gpt-image-1", "images": 1}
    answers = tenant.at_once("/v1/ai/holds", picture, operations())
    assert Counter(answer and answer.status for answer in answers.values()) == {201: CAP, 429: CALLS - CAP}
    check_refused(answers, budget)
    held = {operation: answer.body["ticketId"] for operation, answer in answers.items() if answer.status == 201}
    assert tenant.standing(budget)["reservedNano"] == str(CAP * PICTURE_NANO)
    for operation, ticket in held.items():
        settlement = {"step": "image:1", "ticketId": ticket, "images": 1, "latencyMs": 5, "promptSha256": "0" * 64}
        answer = stack.inner("orchestration-service", "agent-center", "POST", "/v1/ai/holds/settle", tenant.id, json=settlement,
                             headers={"X-Operation-Id": operation})
        assert answer.status_code == 204, answer.text
    assert tenant.check_books(budget) == (CAP, CAP * PICTURE_NANO)
    assert tenant.standing(budget)["remainingNano"] == "0"


def test_money_is_never_overshot_while_worst_cases_shrink_to_what_was_used(tenant):
    """A title's worst case is dearer than the title: some of the first are refused, and no nano is spent beyond the limit."""
    probe = Tenant(tenant.stack)
    probe.topic = tenant.topic
    probe.at_once("/v1/titles", probe.titles(), operations()[:1])
    ((_, _, cost),) = probe.ledger().values()
    limit = CAP * cost
    budget = tenant.budget(limitNano=str(limit))
    answers = tenant.at_once("/v1/titles", tenant.titles(), operations())
    statuses = Counter(answer and answer.status for answer in answers.values())
    assert set(statuses) <= {200, 429} and 0 < statuses[200] <= CAP, statuses
    check_refused(answers, budget)
    calls, money = tenant.check_books(budget)
    assert calls == statuses[200] and money <= limit


@pytest.mark.parametrize("limit", [{"limitCalls": CAP}, {"limitNano": "1000000000"}], ids=["calls", "money"])
def test_killed_in_the_middle(stack, tenant, limit):
    """Nothing stays set aside, what was served stands in the ledger, no cap is passed, and the counters say what the ledger says."""
    # Half of them are still with the model when the first others are served and the kill comes.
    for match, latency in ((f"{tenant.topic}，慢慢写", 2500), (tenant.topic, 400)):
        rule = {"profile": "any", "fault": "none", "match": match, "latencyMs": latency}
        requests.post(stack.url("sandbox", "/__control/config"), json=rule, timeout=5).raise_for_status()

    def titles(operation: str) -> dict:
        return tenant.titles(f"{tenant.topic}，慢慢写" if uuid.UUID(operation).int % 2 else tenant.topic)

    budget = tenant.budget(**limit)
    pending, served, pid = operations()[: CALLS // (1 if "limitCalls" in limit else 4)], {}, stack.pid("agent-center")
    try:
        answers = tenant.at_once("/v1/titles", titles, pending, midway=lambda: os.kill(pid, signal.SIGKILL))
        assert None in answers.values(), "the kill came too late to meet anybody"
        eventually(lambda: stack.pid("agent-center") != pid and stack.is_ready("agent-center"), bool, "agent-center", seconds=60)
        served |= {operation: answer for operation, answer in answers.items() if answer and answer.status == 200}
        # Whoever got no answer asks again, as orchestration would, until there is one.
        for _ in range(20):
            pending = [operation for operation in pending if (answers[operation].status if answers[operation] else 0) not in (200, 429)]
            if not pending:
                break
            again = tenant.at_once("/v1/titles", titles, pending)
            answers |= again
            served |= {operation: answer for operation, answer in again.items() if answer and answer.status == 200}
    finally:
        requests.post(stack.url("sandbox", "/__control/config"), json={"rules": []}, timeout=5)
    assert not pending, Counter(answers[operation] and answers[operation].status for operation in pending)
    check_refused(answers, budget)
    eventually(tenant.reservations, lambda count: count == 0, "reservations of the dead process", seconds=60)
    calls, money = tenant.check_books(budget)
    ledger = tenant.ledger()
    assert calls <= CAP if "limitCalls" in limit else money <= int(limit["limitNano"])
    # Every answer has its row, with what it said it cost.
    for operation, answer in served.items():
        provider, _, cost = ledger[operation]
        assert provider == answer.body["provider"] != "unknown" and cost == int(answer.body["usage"]["costNano"])
    # And asked once more, each is the same answer and costs nothing.
    repeats = tenant.at_once("/v1/titles", titles, list(served)[:50])
    assert all(repeats[operation].body == served[operation].body for operation in repeats)
    assert tenant.check_books(budget) == (calls, money)


def test_each_tenant_has_its_own_budgets_usage_and_records(stack, tenant):
    stranger = Tenant(stack)
    budget = tenant.budget(limitCalls=1)
    (operation,) = tenant.at_once("/v1/titles", tenant.titles(), operations()[:1])
    refused = tenant.at_once("/v1/titles", tenant.titles(), operations()[:1])
    assert [answer.status for answer in refused.values()] == [429]
    assert [answer.status for answer in stranger.at_once("/v1/titles", stranger.titles(), operations()[:1]).values()] == [200]
    for path in (f"/budgets/{budget}", f"/usage/records/{operation}"):
        assert tenant.admin("GET", path).status_code == 200
        assert_problem(stranger.admin("GET", path), 404)
    assert_problem(stranger.admin("DELETE", f"/budgets/{budget}", headers={"If-Match": '"1"'}), 404)
    assert_problem(stranger.admin("DELETE", f"/usage/records/{operation}/texts"), 404)
    assert stranger.admin("GET", "/budgets").json() == {"items": []}
    assert operation not in {record["operationId"] for record in stranger.admin("GET", "/usage/records").json()["items"]}
    assert stranger.admin("GET", "/usage").json()["total"]["records"] == 1
    # Within one operation, another tenant's hold of the same name is another hold.
    picture = {"step": "image:1", "scene": "s", "provider": "openai", "model": "gpt-image-1", "images": 1}
    one = str(uuid.uuid4())
    (own,) = stranger.at_once("/v1/ai/holds", picture, [one]).values()
    third = Tenant(stack)
    release = {"step": "image:1", "ticketId": own.body["ticketId"]}
    assert [answer.status for answer in third.at_once("/v1/ai/holds/release", release, [one]).values()] == [204]
    assert stranger.reservations() == 1


def test_a_members_request_is_refused_by_the_budget_of_its_scene(member):
    made = member.request("POST", "/api/ai/budgets", json={
        "name": "微博标题停用", "scope": "scene", "subject": "weibo-title-zh", "period": "day", "zone": "Asia/Shanghai", "limitCalls": 0})
    assert made.status_code == 201, made.text
    try:
        refused = member.titles("周末露营", platform="weibo")
        problem = assert_problem(refused, 429, "budget.exhausted")
        assert problem["retryable"] and problem["budgetId"] == made.json()["id"] and "“微博标题停用”" in problem["detail"]
        assert 1 <= int(refused.headers["Retry-After"]) <= 86_400
        assert member.titles("周末露营", platform="douyin").status_code == 201
    finally:
        member.request("DELETE", f"/api/ai/budgets/{made.json()['id']}", headers={"If-Match": made.headers["ETag"]})


def test_budgets_and_usage_through_the_gateway(stack, member, stranger):
    scene = f"scene-{uuid.uuid4().hex[:8]}"
    made = member.request("POST", "/api/ai/budgets", json={
        "name": "网关", "scope": "scene", "subject": scene, "period": "day", "zone": "Asia/Shanghai", "limitNano": "5"})
    assert made.status_code == 201, made.text
    path, tag = f"/api/ai/budgets/{made.json()['id']}", made.headers["ETag"]
    assert_problem(stranger.request("GET", path), 404)
    assert_problem(member.request("PUT", path, json={"name": "网关"}, headers={"If-Match": tag}), 422, pointers={"/limitNano"})
    assert member.request("DELETE", path, headers={"If-Match": tag}).status_code == 204
    key = str(uuid.uuid4())
    member.draft(topic="用量报表", key=key)
    ((operation,),) = stack.rows("gateway", "SELECT operation_id FROM idempotency_keys WHERE key = %s", (key,))
    record = member.request("GET", f"/api/ai/usage/records/{operation}").json()["records"][0]
    assert record["flow"] == "TitleGeneration" and record["user"] == member.login["userId"]
    assert_problem(stranger.request("GET", f"/api/ai/usage/records/{operation}"), 404)
    report = member.request("GET", "/api/ai/usage", params={"groupBy": "user,flow"}).json()
    assert any(group["flow"] == "TitleGeneration" and group["sums"]["records"] >= 1 for group in report["items"])
