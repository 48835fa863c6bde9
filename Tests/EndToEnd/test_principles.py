"""The five unification principles at the end of seed 000 (统一交互原则), a test each.

Each is shown three ways where it applies: what the call map allows (and the network policies with it, see
test_network_policies.py), what the code knows, and what one request really did.
"""

import re
import uuid

import pytest
import requests
import yaml

from support import CALL_MAP, REPOSITORY, SERVICES, eventually

SERVER = 2
OTHERS = tuple(service for service in SERVICES if service != "gateway-bff")


def callers_of(service: str) -> set[str]:
    return {caller for caller, callees in CALL_MAP["services"].items() if service in callees}


def upstream_files(service: str) -> set[str]:
    return {path.stem for path in (REPOSITORY / "Services" / service / "Upstreams").glob("*.swift")}


def sources(service: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "Services" / service).rglob("*.swift"))


def compose() -> dict:
    return yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]


def test_入口统一通过_gateway_bff(stack, member):
    """One entrance: nobody calls the gateway, only the gateway is published, and no other service answers a public token. Beside it stands
    content-center's object listener, which knows nothing but the signed addresses that the gateway hands out (`test_assets.py`)."""
    assert callers_of("gateway-bff") == set()
    published = {name: service["ports"] for name, service in compose().items() if "ports" in service}
    assert published == {"gateway-bff": ["127.0.0.1:8080:8080"], "content-center": ["127.0.0.1:8085:8085"]}
    probes = {
        "orchestration-service": ("POST", "/v1/titles"), "agent-center": ("POST", "/v1/titles"),
        "content-center": ("GET", "/v1/contents"),
    }
    for service, (method, path) in probes.items():
        answer = requests.request(
            method, stack.url(service, path), json={"topic": "防晒"}, timeout=10,
            headers={"Authorization": f"Bearer {member.login['accessToken']}"})
        assert answer.status_code == 401, service
    for service in OTHERS:
        answer = requests.get(stack.url(service, "/api/contents"), timeout=10)
        assert answer.status_code in (401, 404), service


def test_业务流程统一在_orchestration_service(stack, member):
    """One place for flows: the gateway hands a title request to orchestration, which calls the others; they call nobody."""
    assert set(CALL_MAP["services"]["orchestration-service"]) == {"agent-center", "content-center", "delivery-connector-douyin"}
    assert CALL_MAP["services"]["content-center"] == [] == CALL_MAP["services"]["delivery-connector-douyin"]
    trace_id = stack.trace_id(member.draft(topic="流程", count=1)["contentId"])
    flow = {"gateway-bff", "orchestration-service", "agent-center", "content-center"}
    spans = eventually(
        lambda: [span for span in stack.spans(trace_id) if span["kind"] == SERVER],
        lambda seen: {span["service"] for span in seen} == flow, "four services in one trace", seconds=30)
    everything = {span["spanId"]: span for span in stack.spans(trace_id)}
    for span in spans:
        caller = everything.get(span.get("parentSpanId"), {}).get("service")
        assert caller == {"gateway-bff": None, "orchestration-service": "gateway-bff"}.get(span["service"], "orchestration-service")


def test_智能决策统一在_agent_center(stack, member):
    """One place for models: only agent-center knows a vendor, and the bill of every title stands in its ledger."""
    assert [service for service, parties in CALL_MAP["outside"].items() if "model vendors" in parties] == ["agent-center"]
    for service in SERVICES:
        knows = bool(re.search(r"OPENAI_|DEEPSEEK_", sources(service)))
        assert knows == (service == "agent-center"), service
    assert [name for name, service in compose().items() if "OPENAI_API_KEY" in service.get("environment", {})] == ["agent-center"]
    key = f"ledger-{uuid.uuid4()}"
    member.draft(topic="谁来写", key=key, count=1)
    ((operation,),) = stack.rows("gateway", "SELECT operation_id FROM idempotency_keys WHERE key = %s", (key,))
    assert len(stack.rows("agent", "SELECT 1 FROM ai_usage_ledger WHERE operation_id = %s", (operation,))) == 1


def test_内容与素材统一在_content_center(stack, member):
    """One place for contents: the candidates' text stands in content-center's database and in no other."""
    marker = f"独一无二{uuid.uuid4().hex[:12]}"
    draft = member.draft(topic=marker, count=1)
    eventually(
        lambda: stack.rows("orchestration", "SELECT 1 FROM content_activity WHERE content_id = %s", (draft["contentId"],)),
        lambda rows: len(rows) == 1, "activity")
    for database in ("orchestration", "agent", "connector", "content"):
        tables = [name for (name,) in stack.rows(
            database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^(outbox|inbox|schema_)'")]
        holding = {
            name for name in tables
            if stack.rows(database, f'SELECT 1 FROM "{name}" AS entry WHERE entry::text LIKE %s LIMIT 1',
                          (f"%{draft['candidates'][0]['title']}%",))
        }
        if database == "content":
            assert "content_versions" in holding
        else:
            # agent-center keeps what it answered to an operation, so that a repeat finds it; that is no content.
            assert {name for name in holding if not re.search(r"completion|operation", name)} == set(), database


def test_渠道接入统一在_delivery_connector_douyin():
    """One place for the channel: only the connector talks to Douyin, and it is called by orchestration and the gateway alone."""
    assert [service for service, parties in CALL_MAP["outside"].items() if "Douyin" in parties] == ["delivery-connector-douyin"]
    assert callers_of("delivery-connector-douyin") == {"gateway-bff", "orchestration-service"}
    for service in SERVICES:
        if service != "delivery-connector-douyin":
            assert not re.search(r"open\.douyin\.com|developer\.toutiao\.com", sources(service)), service


@pytest.mark.parametrize("service", SERVICES)
def test_code_knows_only_upstreams_of_the_call_map(service):
    """Every client file of a service, and every upstream URL it reads, is an arrow of the map."""
    keys = {"orchestration-service": "ORCHESTRATION_URL", "agent-center": "AGENT_CENTER_URL", "content-center": "CONTENT_CENTER_URL",
            "delivery-connector-douyin": "CONNECTOR_URL"}
    text = sources(service)
    for other, key in keys.items():
        if other not in CALL_MAP["services"][service] and other != service:
            assert f'"{key}"' not in text, f"{service} reads {key}"
    clients = {"Orchestration": "orchestration-service", "AgentCenter": "agent-center", "ContentCenter": "content-center",
               "Connector": "delivery-connector-douyin", "GatewayBFF": "gateway-bff"}
    for file in upstream_files(service):
        for prefix, other in clients.items():
            if file.startswith(prefix):
                assert other in CALL_MAP["services"][service], f"{service}/Upstreams/{file}.swift"
