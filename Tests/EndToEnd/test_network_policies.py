"""Network policies, the compose file and `deploy/call-map.json` say the same about who may talk to whom."""

import json
import pathlib

import pytest
import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
NAME = "app.kubernetes.io/name"
# content-center's second port: signed uploads and downloads, public like the gateway.
OBJECTS = 8085
PORTS = dict(line.split() for line in (REPOSITORY / "deploy/images/services").read_text().splitlines())


def call_map() -> dict:
    return json.loads((REPOSITORY / "deploy/call-map.json").read_text())


def policies() -> dict[str, dict]:
    documents = yaml.safe_load_all((REPOSITORY / "deploy/kubernetes/base/network-policies.yaml").read_text())
    return {document["metadata"]["name"]: document["spec"] for document in documents}


def pods(peers: list[dict]) -> set[str]:
    return {peer["podSelector"]["matchLabels"][NAME] for peer in peers if NAME in peer.get("podSelector", {}).get("matchLabels", {})}


def arrows(map_of_calls: dict) -> set[tuple[str, str]]:
    return {(caller, callee) for caller, callees in map_of_calls["services"].items() for callee in callees}


def egress_arrows(specs: dict[str, dict]) -> set[tuple[str, str]]:
    return {
        (name, callee) for name, spec in specs.items() if name in PORTS
        for rule in spec.get("egress", []) for callee in pods(rule["to"]) if callee in PORTS
    }


def ingress_arrows(specs: dict[str, dict]) -> set[tuple[str, str]]:
    return {
        (caller, name) for name, spec in specs.items() if name in PORTS
        for rule in spec.get("ingress", []) for caller in pods(rule["from"])
    }


def test_both_directions_are_the_call_map():
    assert egress_arrows(policies()) == arrows(call_map())
    assert ingress_arrows(policies()) == arrows(call_map())


def test_a_wrong_arrow_would_be_noticed():
    wrong = call_map()
    wrong["services"]["content-center"].append("delivery-connector-douyin")
    assert egress_arrows(policies()) != arrows(wrong)


def test_everything_else_is_refused():
    spec = policies()["nothing-by-default"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_the_gateway_and_signed_urls_hear_the_ingress_controller():
    listening = {
        (name, port["port"]) for name, spec in policies().items()
        for rule in spec.get("ingress", []) for peer in rule["from"] if "namespaceSelector" in peer or "ipBlock" in peer
        for port in rule["ports"]
    }
    assert listening == {("gateway-bff", 8080), ("content-center", OBJECTS)}


def test_the_way_out_is_for_those_who_have_business_outside():
    outward = {
        name for name, spec in policies().items()
        for rule in spec.get("egress", []) for peer in rule["to"] if "ipBlock" in peer
    }
    assert outward == {service for service, parties in call_map()["outside"].items() if parties}


@pytest.mark.parametrize("service", PORTS)
def test_ports_agree_everywhere(service):
    documents = {
        document["kind"]: document
        for document in yaml.safe_load_all((REPOSITORY / f"deploy/kubernetes/base/{service}.yaml").read_text())
    }
    port = int(PORTS[service])
    container = documents["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    open_ports = [port, OBJECTS] if service == "content-center" else [port]
    assert [entry["containerPort"] for entry in container["ports"]] == open_ports
    assert [entry["port"] for entry in documents["Service"]["spec"]["ports"]] == open_ports
    assert {rule["ports"][0]["port"] for rule in policies()[service]["ingress"]} == set(open_ports)
    urls = {
        entry["name"]: entry["value"] for entry in container.get("env", [])
        if entry["name"].endswith("_URL") and not entry["name"].endswith("PUBLIC_URL")
    }
    assert {url.split("//")[1] for url in urls.values()} == {
        f"{callee}:{PORTS[callee]}" for callee in call_map()["services"][service]}


def test_compose_gives_each_service_the_upstreams_of_the_call_map():
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    for service, callees in call_map()["services"].items():
        values = [
            str(value) for key, value in compose[service]["environment"].items()
            # What clients reach is no arrow between services.
            if key.endswith("_URL") and not key.endswith("PUBLIC_URL")
        ]
        assert {value.split("//")[1] for value in values if value.startswith("http://")} == {
            f"{callee}:{PORTS[callee]}" for callee in callees}
    published = {name for name, service in compose.items() if "ports" in service}
    assert published == {"gateway-bff", "content-center"}
    # Of content-center only the listener that knows signed URLs alone.
    assert compose["content-center"]["ports"] == [f"127.0.0.1:{OBJECTS}:{OBJECTS}"]
