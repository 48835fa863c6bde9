"""What is written for operators holds: secrets, public paths, and the order of a roll-out. Without a cluster; what renders the
manifests (kubectl) need not be there."""

import json
import os
import pathlib
import re
import runpy
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import yaml

from support import CALL_MAP, REPOSITORY, SERVICES

BASE = REPOSITORY / "deploy/kubernetes/base"
EXAMPLE = REPOSITORY / "deploy/kubernetes/example"
INTERNAL_PATHS = {"/healthz", "/readyz", "/metrics"}
MISSES_ITS_DATABASE = "the database cannot be reached yet"
Key = tuple[str, str]


# Secrets


def workloads() -> Iterator[dict]:
    """The pods of all Deployments and Jobs, with what `…-defaults.yaml` adds to every one."""
    defaults = {
        document["kind"]: document["spec"]["template"]["spec"]["containers"][0]
        for name in ("deployment-defaults", "job-defaults") for document in yaml.safe_load_all((BASE / f"{name}.yaml").read_text())
    }
    for path in BASE.glob("*.yaml"):
        if path.stem.endswith("-defaults") or path.stem in ("kustomization", "media-resources"):
            continue
        for document in yaml.safe_load_all(path.read_text()):
            if document["kind"] in defaults:
                pod = document["spec"]["template"]["spec"]
                added = defaults[document["kind"]]
                yield {
                    "volumes": pod["volumes"],
                    "env": added.get("env", []) + pod["containers"][0].get("env", []),
                    "mounts": added.get("volumeMounts", []) + pod["containers"][0].get("volumeMounts", []),
                }


def keys_of_the_manifests() -> dict[Key, bool]:
    """(secret, key) → may it be missing."""
    found: dict[Key, bool] = {}
    for pod in workloads():
        secrets = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        places = {mount["mountPath"] + "/": secrets[mount["name"]] for mount in pod["mounts"] if mount["name"] in secrets}
        for entry in pod["env"]:
            if reference := entry.get("valueFrom", {}).get("secretKeyRef"):
                found[reference["name"], reference["key"]] = reference.get("optional", False)
            if entry["name"].endswith("_FILE"):
                place = next(place for place in places if entry["value"].startswith(place))
                found[places[place], entry["value"].removeprefix(place)] = False
    return found


def keys_of_the_readme() -> dict[Key, bool]:
    text = (REPOSITORY / "deploy/README.md").read_text(encoding="utf-8")
    table = re.search(r"\| secret \| key \|.*\n\|[-|]+\n((?:\|.*\n)+)", text)
    assert table, "deploy/README.md has no table of secrets"
    found: dict[Key, bool] = {}
    for row in table[1].splitlines():
        secret, key, *_ = (cell.strip() for cell in row.strip("|").split("|"))
        name = re.search(r"`([^`]+)`", secret)
        for service in SERVICES if name and "<service>" in name[1] else [""]:
            for each in re.findall(r"`([^`]+)`", key):
                found[name[1].replace("<service>", service), each] = "optional" in secret
    return found


def keys_that_are_made(directory: pathlib.Path) -> dict[Key, str]:
    subprocess.run([sys.executable, REPOSITORY / "deploy/kubernetes/secrets", directory], check=True, capture_output=True)
    objects = json.loads((directory / "secrets.json").read_text())["items"]
    return {(each["metadata"]["name"], key): value for each in objects for key, value in each["stringData"].items()}


def test_the_readme_names_every_secret_key_of_the_manifests():
    assert keys_of_the_readme() == keys_of_the_manifests()


def test_every_secret_that_must_be_there_is_made(tmp_path):
    made = keys_that_are_made(tmp_path / "made")
    assert set(made) == {key for key, optional in keys_of_the_manifests().items() if not optional}
    passwords = dict(line.split("=", 1) for line in (tmp_path / "made/roles.env").read_text().splitlines())
    assert f":{passwords['AGENT_SYSTEM_PASSWORD']}@postgres:5432/agent" in made["agent-center", "system-database-url"]
    assert f":{passwords['GATEWAY_OWNER_PASSWORD']}@" in made["gateway-bff-owner", "owner-database-url"]
    assert len(passwords) == 3 * len(SERVICES) == len(set(passwords.values()))
    for path in (tmp_path / "made").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_secrets_that_are_there_stay(tmp_path):
    assert keys_that_are_made(tmp_path / "made") == keys_that_are_made(tmp_path / "made")


def setting(key: str) -> str:
    return key.upper().replace("-", "_")


def files_for(service: str, directory: pathlib.Path) -> dict[str, pathlib.Path]:
    """What is made for a server, each key in a file as a pod mounts it, with addresses at which nobody answers."""
    files = {}
    for (secret, key), value in keys_that_are_made(directory / "made").items():
        if secret == service:
            files[key] = directory / key
            files[key].write_text(value.replace("postgres:5432", "127.0.0.1:1").replace("rabbitmq:5672", "127.0.0.1:1"))
    return files


def serve(service: str, files: dict[str, pathlib.Path], directory: pathlib.Path) -> tuple[int, str]:
    """Starts the server itself; once it has taken all its settings and misses its database, it is told to end: status, what it said."""
    executables = os.environ.get("TEST_PRODUCTS_DIR")
    if not executables:
        pytest.skip("run by `make test`, which says where the executables are")
    environment = {
        "PATH": os.environ["PATH"], "PORT": "0", "OBJECT_LISTENER_PORT": "0", "OBJECT_DIRECTORY": str(directory / "objects"),
        # As the base and compose leave it.
        "TRUSTED_PROXIES": "",
        "CONTEXT_PUBLIC_KEYS": (directory / "made/context-public-keys.env").read_text().strip().split("=", 1)[1],
        **{f"{setting(key)}_FILE": str(path) for key, path in files.items()},
    }
    server = subprocess.Popen(
        [pathlib.Path(executables) / service], env=environment, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    alarm = threading.Timer(60, server.kill)
    alarm.start()
    try:
        said = ""
        for line in server.stdout:
            # Told once: a second signal would cut it off.
            if MISSES_ITS_DATABASE in line and MISSES_ITS_DATABASE not in said:
                server.terminate()
            said += line
        return server.wait(), said
    finally:
        alarm.cancel()
        server.kill()
        server.wait()


@pytest.mark.parametrize("service", SERVICES)
def test_servers_start_with_what_is_made(service, tmp_path):
    status, said = serve(service, files_for(service, tmp_path), tmp_path)
    assert status == 0 and MISSES_ITS_DATABASE in said, said


@pytest.mark.parametrize("service", SERVICES)
def test_servers_do_not_start_with_a_damaged_key(service, tmp_path):
    """So that a start says something about the keys: every one of them is read."""
    files = files_for(service, tmp_path)
    for key, path in files.items():
        whole = path.read_text()
        path.write_text("damaged")
        status, said = serve(service, files, tmp_path)
        assert status == 78 and setting(key) in said and MISSES_ITS_DATABASE not in said, f"{key}: {said}"
        path.write_text(whole)


# Public paths


def ingress_paths() -> dict[str, list[dict]]:
    return {
        document["metadata"]["name"]: document["spec"]["rules"][0]["http"]["paths"]
        for document in yaml.safe_load_all((BASE / "ingress.yaml").read_text())
    }


def is_published(path: str, rules: list[dict]) -> bool:
    return any(
        path == rule["path"] or (rule["pathType"] == "Prefix" and path.startswith(rule["path"].rstrip("/") + "/")) for rule in rules)


def test_the_ingress_publishes_the_gateways_api_and_nothing_for_machines():
    paths = set(yaml.safe_load((REPOSITORY / "openapi/gateway-bff.yaml").read_text(encoding="utf-8"))["paths"])
    rules = ingress_paths()["gateway-bff"]
    assert {path for path in paths if not is_published(path, rules)} == INTERNAL_PATHS
    assert {rule["backend"]["service"]["port"]["name"] for rule in ingress_paths()["content-center-objects"]} == {"objects"}


def test_the_readmes_proxy_publishes_the_same():
    """The nginx of the compose chapter: its `location`s are the ingress's paths."""
    text = (REPOSITORY / "deploy/README.md").read_text(encoding="utf-8")
    locations = dict(reversed(pair) for pair in re.findall(r"location (=? ?)(/\S*) \{[^}]*127\.0\.0\.1:8080", text))
    assert {path: "Exact" if kind.strip() else "Prefix" for path, kind in locations.items()} == {
        rule["path"] + ("" if rule["pathType"] == "Exact" else "/"): rule["pathType"] for rule in ingress_paths()["gateway-bff"]}


def test_behind_the_readmes_proxy_the_gateway_learns_its_clients_addresses():
    """The proxy says for whom it asks, and compose can tell the gateway whom to believe."""
    text = (REPOSITORY / "deploy/README.md").read_text(encoding="utf-8")
    server = next(block for block in re.findall(r"^server \{.*?^\}", text, re.DOTALL | re.MULTILINE) if "127.0.0.1:8080" in block)
    # nginx takes the server's headers only where a location sets none of its own.
    assert re.findall(r"proxy_set_header .*", server) == ["proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"]
    gateway = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]["gateway-bff"]
    assert gateway["environment"]["TRUSTED_PROXIES"] == "${TRUSTED_PROXIES:-}"
    assert re.search(r"`TRUSTED_PROXIES=\d", text)


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl renders the overlay")
def test_the_example_names_the_same_hosts_everywhere():
    rendered = subprocess.run(["kubectl", "kustomize", EXAMPLE], capture_output=True, text=True, check=True).stdout
    assert "example.com" not in re.sub(r"registry\.example\.com", "", rendered), "a host of the base shines through"
    objects = list(yaml.safe_load_all(rendered))
    settings = next(each for each in objects if each["kind"] == "ConfigMap")
    hosts = {
        each["metadata"]["name"]: (each["spec"]["rules"][0]["host"], each["spec"]["tls"][0]["hosts"])
        for each in objects if each["kind"] == "Ingress"
    }
    for name, key in (("gateway-bff", "PUBLIC_URL"), ("content-center-objects", "OBJECT_PUBLIC_URL")):
        host = settings["data"][key].removeprefix("https://")
        assert hosts[name] == (host, [host])
    for each in objects:
        if each["kind"] == "Deployment":
            container = each["spec"]["template"]["spec"]["containers"][0]
            assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}], "a changed setting rolls the pods"
            assert ":1.0.0" in container["image"]


# Shutdown


def seconds(text: str) -> int:
    """Of a duration as the services and compose write it; other units than seconds are not in use here."""
    assert (match := re.fullmatch(r"(\d+)s", text)), text
    return int(match[1])


def longest_request() -> int:
    """The longest that a route may take, but the uploads of hours: those go on from where they were cut off."""
    return max(
        int(number) for path in (REPOSITORY / "Services").rglob("*.swift")
        for number in re.findall(r"(?:deadline|within): \.seconds\((\d+)\)", path.read_text(encoding="utf-8")))


def test_what_is_in_work_is_done_before_the_process_is_killed():
    assert longest_request() >= 120, "the script's two minutes are not found"
    pod = yaml.safe_load((BASE / "deployment-defaults.yaml").read_text())["spec"]["template"]["spec"]
    settings = {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}
    places = {"kubernetes": (seconds(settings["DRAIN_DEADLINE"]), pod["terminationGracePeriodSeconds"])}
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    for service in SERVICES:
        places[f"compose: {service}"] = (
            seconds(compose[service]["environment"]["DRAIN_DEADLINE"]), seconds(compose[service]["stop_grace_period"]))
        own = next(yaml.safe_load_all((BASE / f"{service}.yaml").read_text()))["spec"]["template"]["spec"]
        assert "terminationGracePeriodSeconds" not in own and "DRAIN_DEADLINE" not in str(own), f"{service}: the defaults say it"
    for place, (drain, grace) in places.items():
        assert longest_request() < drain < grace, place


def test_a_release_leaves_the_number_of_replicas_to_the_autoscaler():
    for path in BASE.glob("*.yaml"):
        for document in yaml.safe_load_all(path.read_text()):
            assert document["kind"] != "Deployment" or "replicas" not in document["spec"], path
    scaled = {
        document["spec"]["scaleTargetRef"]["name"]: document["spec"]["minReplicas"]
        for service in SERVICES for document in yaml.safe_load_all((BASE / f"{service}.yaml").read_text())
        if document["kind"] == "HorizontalPodAutoscaler"
    }
    assert scaled == dict.fromkeys(SERVICES, 2)


# Roll-out

WAVES = runpy.run_path(str(REPOSITORY / "deploy/kubernetes/roll-out"))["WAVES"]

KUBECTL = """#!/usr/bin/env python3
import json, os, pathlib, sys
here = pathlib.Path(os.environ["FAKE_KUBECTL"])
with open(here / "calls", "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
if os.environ["FAKE_FAILURE"] in sys.argv:
    sys.exit(1)
if "get" in sys.argv:
    answers = json.loads((here / "answers").read_text())
    conditions = answers.pop(0)
    (here / "answers").write_text(json.dumps(answers))
    print(json.dumps({"items": [
        {"metadata": {"name": name}, "status": {"conditions": [{"type": type, "status": "True"}] if type else []}}
        for name, type in conditions.items()]}))
"""


def roll_out(directory: pathlib.Path, *answers: dict[str, str], failing: str = "nothing") -> tuple[int, list[str], str]:
    """Runs it before a kubectl that tells `answers` about the jobs, one at a time, and fails where it is to do `failing`: status, what
    kubectl was asked, the last words."""
    (directory / "kubectl").write_text(KUBECTL)
    (directory / "kubectl").chmod(0o755)
    (directory / "answers").write_text(json.dumps(answers))
    result = subprocess.run(
        [sys.executable, REPOSITORY / "deploy/kubernetes/roll-out", "overlay"], capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"PATH": f"{directory}:{os.environ['PATH']}", "FAKE_KUBECTL": str(directory), "FAKE_FAILURE": failing})
    calls = [re.sub(r"--namespace \S+ |app\.kubernetes\.io/(component|(?=name))", "", line) for line in (directory / "calls").read_text().splitlines()]
    return result.returncode, calls, result.stderr


def of_a_wave(services: tuple[str, ...]) -> list[str]:
    selector = f"--selector =server,name in ({', '.join(services)})"
    return [f"apply --kustomize overlay {selector}", f"rollout status deployment {selector} --timeout 600s"]


def test_servers_hear_of_a_release_after_its_migrations(tmp_path):
    status, calls, _ = roll_out(
        tmp_path, {"a-migrate": "", "b-migrate": ""}, {"a-migrate": "Complete", "b-migrate": ""},
        {"a-migrate": "Complete", "b-migrate": "Complete"})
    looks = ["get jobs --selector =migration --output json"] * 3
    assert (status, calls) == (0, [
        "apply --kustomize overlay --selector  notin (migration, server)",
        "delete jobs --selector =migration --ignore-not-found --cascade foreground --wait",
        "apply --kustomize overlay --selector =migration", *looks,
        *(call for wave in WAVES for call in of_a_wave(wave)),
    ])


def test_a_server_hears_of_a_release_after_those_that_it_calls():
    wave_of = {service: number for number, wave in enumerate(WAVES) for service in wave}
    assert set(wave_of) == set(SERVICES) and sum(map(len, WAVES)) == len(SERVICES)
    too_early = {
        (caller, callee) for caller, callees in CALL_MAP["services"].items() for callee in callees if wave_of[callee] >= wave_of[caller]}
    assert too_early == {("agent-center", "orchestration-service")}, "the one arrow that closes a circle"


def test_callers_hear_nothing_of_a_release_whose_called_do_not_get_ready(tmp_path):
    status, calls, said = roll_out(tmp_path, {"a-migrate": "Complete"}, failing="rollout")
    assert status == 1 and "rollout status" in said
    assert calls[-2:] == of_a_wave(WAVES[0])


def test_a_failed_migration_leaves_the_servers_alone(tmp_path):
    status, calls, said = roll_out(tmp_path, {"a-migrate": "Complete", "b-migrate": "Failed"})
    assert status == 1 and "failed: b-migrate" in said
    assert calls[-1] == "logs job/b-migrate --tail 20"
    assert not [call for call in calls if "=server" in call]


def test_the_labels_of_the_roll_out_are_those_of_the_manifests():
    labels = {
        name: yaml.safe_load((BASE / f"{name}.yaml").read_text())["metadata"]["labels"]
        for name in ("deployment-defaults", "job-defaults")
    }
    assert labels == {
        "deployment-defaults": {"app.kubernetes.io/component": "server"}, "job-defaults": {"app.kubernetes.io/component": "migration"}}
    for service in SERVICES:
        deployment = next(yaml.safe_load_all((BASE / f"{service}.yaml").read_text()))
        assert deployment["metadata"] == {"name": service, "labels": {"app.kubernetes.io/name": service}}
