"""One title request is one trace: through four services and the consumer, no span without its parent."""

import json
import uuid

from support import eventually
from test_principles import log_lines

SERVER, CONSUMER = 2, 5
FLOW = {"gateway-bff", "orchestration-service", "agent-center", "content-center"}


def spans_of(stack, trace_id: str) -> list[dict]:
    lines = (stack.directory / "spans.jsonl").read_text(encoding="utf-8").splitlines()
    return [span for span in map(json.loads, lines) if span["traceId"] == trace_id]


def complete(spans: list[dict]) -> bool:
    kinds = {(span["service"], span["kind"]) for span in spans}
    known = {span["spanId"] for span in spans}
    roots = [span for span in spans if span.get("parentSpanId") not in known]
    return {(service, SERVER) for service in FLOW} <= kinds and ("orchestration-service", CONSUMER) in kinds and len(roots) == 1


def test_one_trace_through_four_services_and_the_consumer(stack, member):
    request_id = f"trace-{uuid.uuid4().hex}"
    answer = member.request("POST", "/api/titles", json={"topic": "一条线索", "count": 1}, headers={"X-Request-Id": request_id})
    assert answer.status_code == 201
    lines = eventually(lambda: log_lines(stack, "gateway-bff", request_id), bool, "the gateway's log line")
    spans = eventually(lambda: spans_of(stack, lines[0]["traceId"]), complete, "the whole trace", seconds=30)

    by_id = {span["spanId"]: span for span in spans}
    (root,) = [span for span in spans if span.get("parentSpanId") not in by_id]
    assert (root["service"], root["kind"]) == ("gateway-bff", SERVER)
    # The flow has one name everywhere (design §2).
    served = {span["service"]: span["name"] for span in spans if span["kind"] == SERVER}
    assert served["gateway-bff"] == served["orchestration-service"] == served["agent-center"] == "TitleGeneration"

    def ancestors(span: dict) -> list[str]:
        found = []
        while span := by_id.get(span.get("parentSpanId")):
            found.append(span["service"])
        return found

    for service in ("agent-center", "content-center"):
        server = next(span for span in spans if (span["service"], span["kind"]) == (service, SERVER))
        assert "orchestration-service" in ancestors(server) and ancestors(server)[-1] == "gateway-bff"
    consumed = next(span for span in spans if (span["service"], span["kind"]) == ("orchestration-service", CONSUMER))
    assert "content-center" in ancestors(consumed)
