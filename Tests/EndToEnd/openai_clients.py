"""The official `openai` package at the gateway, with keys of the tenant's own."""

import uuid

import openai
import requests

from support import Member, Stack


def make_key(member: Member, *scopes: str, **fields) -> dict:
    """A new API key: `id`, and `key` itself."""
    answer = member.request("POST", "/api/api-keys", json={"name": "sdk", "scopes": list(scopes or ("ai:generate",)), **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def client(stack: Stack, key: str, **options) -> openai.OpenAI:
    """Without retries, unless told otherwise: a test wants to see each answer."""
    return openai.OpenAI(api_key=key, base_url=stack.url("gateway-bff", "/api/openai/v1"), **({"max_retries": 0} | options))


def async_client(stack: Stack, key: str, **options) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key=key, base_url=stack.url("gateway-bff", "/api/openai/v1"), **({"max_retries": 0} | options))


def set_fault(stack: Stack, match: str, **rule) -> None:
    """The sandbox's model misbehaves for requests whose body contains `match`."""
    requests.post(stack.url("sandbox", "/__control/config"), json={"match": match, **rule}, timeout=5).raise_for_status()


def vendor_log(stack: Stack, text: str) -> list[dict]:
    """What reached the sandbox's models with this text."""
    answer = requests.get(stack.url("sandbox", "/__control/log"), params={"contains": text}, timeout=5)
    return answer.json()["attempts"]


def add_budget(stack: Stack, member: Member, key_id: str, *, calls: int | None = None, nano: int | None = None) -> str:
    """A hard budget of one key for the day."""
    budget = str(uuid.uuid4())
    with stack.administrator("agent") as connection:
        connection.execute(
            """INSERT INTO ai_budgets (tenant_id, id, name, scope, subject, period, zone, limit_nano, limit_calls, currency, is_hard)
               VALUES (%s, %s, 'sdk', 'api_key', %s, 'day', 'Asia/Shanghai', %s, %s, 'USD', true)""",
            (member.tenant, budget, key_id, nano, calls))
    return budget


def ledger(stack: Stack, key_id: str) -> list[tuple[int, int, int, str]]:
    """Prompt tokens, completion tokens, cost and provider of what a key used, oldest first."""
    return stack.rows("agent", """
        SELECT prompt_tokens, completion_tokens, cost_nano, provider FROM ai_usage_ledger
        WHERE api_key_id = %s ORDER BY created_at""", (key_id,))
