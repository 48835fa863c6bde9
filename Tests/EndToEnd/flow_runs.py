"""What a flow's run leaves behind it in the services, and how it is held up."""

import requests

from support import Member, Stack, eventually, stream_events


def operation_of(stack: Stack, key: str) -> str:
    ((operation,),) = eventually(
        lambda: stack.rows("gateway", "SELECT operation_id FROM idempotency_keys WHERE key = %s", (key,)), bool, "the key's operation")
    return str(operation)


def paid(stack: Stack, operation: str) -> list[str]:
    """The operation's ledger, a step a row."""
    return sorted(step for (step,) in stack.rows("agent", "SELECT step FROM ai_usage_ledger WHERE operation_id = %s", (operation,)))


def drafts(stack: Stack, operation: str) -> list[str]:
    return sorted(step for (step,) in stack.rows("content", "SELECT step FROM content_versions WHERE operation_id = %s", (operation,)))


def slow(stack: Stack, topic: str, milliseconds: int) -> None:
    # Whole answers and streams.
    rule = {"fault": "none", "match": topic, "latencyMs": milliseconds, "firstTokenDelayMs": milliseconds}
    requests.post(stack.url("sandbox", "/__control/config"), json=rule, timeout=5).raise_for_status()


def moves_of(member: Member, run: str) -> list[dict]:
    """The run's events as the tenant's stream tells them, up to its end."""
    moves = []
    for event in stream_events(member, last_event_id=0):
        if event.data.get("subject") != run:
            continue
        assert event.type == "run.progressed.v1"
        moves.append(event.data)
        if event.data["data"]["state"] not in ("queued", "running"):
            break
    return moves
