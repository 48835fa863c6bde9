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


# Who else there is, by the label of its pods and, where it is not ours, its namespace.
NAMES = ("kube-system", "k8s-app=kube-dns")
PROMETHEUS = ("monitoring", f"{NAME}=prometheus")
COLLECTOR = ("monitoring", f"{NAME}=opentelemetry-collector")
INGRESS = ("ingress-nginx", "")
OUTSIDE = ("", "0.0.0.0/0")


def call_map() -> dict:
    return json.loads((REPOSITORY / "deploy/call-map.json").read_text())


def documents(name: str) -> list[dict]:
    return list(yaml.safe_load_all((REPOSITORY / f"deploy/kubernetes/base/{name}.yaml").read_text()))


def policies() -> dict[str, dict]:
    return {document["metadata"]["name"]: document["spec"] for document in documents("network-policies")}


def pod_labels() -> dict[str, dict[str, str]]:
    """The labels of all pods that are ours, by the name of what runs in them."""
    workloads = [documents(service)[0] for service in PORTS] + documents("migrate-jobs")
    labels = {workload["metadata"]["name"]: workload["spec"]["template"]["metadata"]["labels"] for workload in workloads}
    return labels | {name: {NAME: name} for name in ("postgres", "rabbitmq")}


def selects(selector: dict, labels: dict[str, str]) -> bool:
    unknown = [entry for entry in selector.get("matchExpressions", []) if entry["operator"] != "Exists"]
    assert not unknown, f"this test does not know {unknown}"
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        entry["key"] in labels for entry in selector.get("matchExpressions", []))


def peers(peer: dict) -> set[tuple[str, str]]:
    """Who is meant: (namespace, label), (\"\", the name of pods of ours), or an address block."""
    if block := peer.get("ipBlock"):
        assert set(PRIVATE) <= set(block["except"])
        return {("", block["cidr"])}
    selector = peer.get("podSelector", {})
    if namespace := peer.get("namespaceSelector"):
        labels = [f"{key}={value}" for key, value in selector.get("matchLabels", {}).items()]
        assert len(labels) <= 1 and not selector.get("matchExpressions")
        return {(namespace["matchLabels"]["kubernetes.io/metadata.name"], *(labels or [""]))}
    return {("", name) for name, labels in pod_labels().items() if selects(selector, labels)}


def allowed(specs: dict[str, dict], direction: str) -> set[tuple[str, tuple[str, str], int | str]]:
    """(pods, peer, port), as all policies that select the pods allow it together: one under any name counts."""
    side = "to" if direction == "egress" else "from"
    return {
        (name, found, port["port"])
        for name, labels in pod_labels().items() for spec in specs.values() if selects(spec["podSelector"], labels)
        for rule in spec.get(direction, []) for peer in rule[side] for found in peers(peer) for port in rule["ports"]
    }


PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")


def wanted_egress(map_of_calls: dict) -> set[tuple[str, tuple[str, str], int | str]]:
    outward = {"orchestration-service": (443, 465, 587)}
    migrations = {f"{service}-migrate" for service in PORTS}
    return {
        *((caller, ("", callee), int(PORTS[callee])) for caller, callees in map_of_calls["services"].items() for callee in callees),
        *((service, OUTSIDE, port) for service, parties in map_of_calls["outside"].items() if parties
          for port in outward.get(service, (443,))),
        *((name, ("", "postgres"), 5432) for name in {*PORTS, *migrations}),
        *((service, ("", "rabbitmq"), 5672) for service in PORTS),
        *((service, COLLECTOR, 4318) for service in PORTS),
        *((name, NAMES, 53) for name in pod_labels()),
    }


def wanted_ingress(map_of_calls: dict) -> set[tuple[str, tuple[str, str], int | str]]:
    migrations = {f"{service}-migrate" for service in PORTS}
    return {
        *((callee, ("", caller), int(PORTS[callee])) for caller, callees in map_of_calls["services"].items() for callee in callees),
        *(("postgres", ("", name), 5432) for name in {*PORTS, *migrations}),
        *(("rabbitmq", ("", service), 5672) for service in PORTS),
        *((service, PROMETHEUS, "http") for service in PORTS),
        ("gateway-bff", INGRESS, int(PORTS["gateway-bff"])), ("content-center", INGRESS, OBJECTS),
    }


def test_the_policies_allow_what_the_call_map_and_the_platform_need_and_nothing_else():
    assert allowed(policies(), "egress") == wanted_egress(call_map())
    assert allowed(policies(), "ingress") == wanted_ingress(call_map())


def test_a_wrong_arrow_would_be_noticed():
    wrong = call_map()
    wrong["services"]["content-center"].append("delivery-connector-douyin")
    assert allowed(policies(), "egress") != wanted_egress(wrong)
    assert allowed(policies(), "ingress") != wanted_ingress(wrong)


def test_a_policy_under_any_name_would_be_noticed():
    specs = policies() | {"debugging": {
        "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "douyin-marketing"}}, "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": 8083}]}]}}
    assert ("content-center", ("", "delivery-connector-douyin"), 8083) in allowed(specs, "ingress") - wanted_ingress(call_map())


def test_everything_else_is_refused():
    spec = policies()["nothing-by-default"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("service", PORTS)
def test_prometheus_is_let_in_where_it_is_told_to_look(service):
    """By the port's name in the policy, by its number in the annotations."""
    pod = documents(service)[0]["spec"]["template"]
    port = next(port["containerPort"] for port in pod["spec"]["containers"][0]["ports"] if port["name"] == "http")
    assert pod["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true", "prometheus.io/path": "/metrics", "prometheus.io/port": str(port)}
    assert (service, PROMETHEUS, "http") in allowed(policies(), "ingress")


@pytest.mark.parametrize("service", PORTS)
def test_ports_agree_everywhere(service):
    kinds = {document["kind"]: document for document in documents(service)}
    port = int(PORTS[service])
    container = kinds["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    open_ports = [port, OBJECTS] if service == "content-center" else [port]
    assert [entry["containerPort"] for entry in container["ports"]] == open_ports
    assert [entry["port"] for entry in kinds["Service"]["spec"]["ports"]] == open_ports
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
