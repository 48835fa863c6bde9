"""One title request is one trace: through four services and the consumer, no span without its parent."""

from support import eventually

SERVER, CONSUMER = 2, 5
FLOW = {"gateway-bff", "orchestration-service", "agent-center", "content-center"}


def complete(spans: list[dict]) -> bool:
    kinds = {(span["service"], span["kind"]) for span in spans}
    known = {span["spanId"] for span in spans}
    roots = [span for span in spans if span.get("parentSpanId") not in known]
    return {(service, SERVER) for service in FLOW} <= kinds and ("orchestration-service", CONSUMER) in kinds and len(roots) == 1


def test_one_trace_through_four_services_and_the_consumer(stack, member):
    trace_id = stack.trace_id(member.draft(topic="一条线索", count=1)["contentId"])
    spans = eventually(lambda: stack.spans(trace_id), complete, "the whole trace", seconds=30)

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
