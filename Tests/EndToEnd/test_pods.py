"""How every pod of ours runs, as the manifests say it: watched, bounded, and with nothing that it does not need. Without a cluster: what
the defaults add is put together here as kustomize does it."""

import copy

import pytest
import yaml

from support import REPOSITORY, SERVICES

BASE = REPOSITORY / "deploy/kubernetes/base"


def documents(name: str) -> list[dict]:
    return list(yaml.safe_load_all((BASE / name).read_text(encoding="utf-8")))


def merged(value, patch):
    """A strategic merge: members of maps, and of lists whose entries have names."""
    if isinstance(value, dict) and isinstance(patch, dict):
        both = {name: merged(value[name], patch[name]) for name in value.keys() & patch.keys()}
        return copy.deepcopy(value) | copy.deepcopy(patch) | both
    if isinstance(value, list) and isinstance(patch, list) and all(isinstance(each, dict) and "name" in each for each in value + patch):
        return list(merged({each["name"]: each for each in value}, {each["name"]: each for each in patch}).values())
    return copy.deepcopy(patch)


def targets(patch: dict, document: dict) -> bool:
    """Whether a patch of the kustomization means a document: by kind where it says so, else by kind and name."""
    if "target" in patch:
        return patch["target"] == {"kind": document["kind"]}
    own = documents(patch["path"])[0]
    return (own["kind"], own["metadata"]["name"]) == (document["kind"], document["metadata"]["name"])


def workloads() -> dict[str, dict]:
    kustomization = documents("kustomization.yaml")[0]
    found = {}
    for name in kustomization["resources"]:
        for document in documents(name):
            if document["kind"] in ("Deployment", "Job"):
                for patch in kustomization["patches"]:
                    if targets(patch, document):
                        changes = documents(patch["path"])[0]
                        document = merged(document, {"spec": changes["spec"]})
                found[f"{document['kind']} {document['metadata']['name']}"] = document
    return found


WORKLOADS = workloads()


def wrong(workload: dict) -> list[str]:
    """What is not so that should be."""
    pod = workload["spec"]["template"]["spec"]
    said = []

    def want(condition: bool, what: str) -> None:
        if not condition:
            said.append(what)

    security = pod.get("securityContext", {})
    want(security.get("runAsNonRoot") is True and security.get("runAsUser", 0) > 0, "not as root")
    want(security.get("seccompProfile") == {"type": "RuntimeDefault"}, "the default filter of system calls")
    want(pod.get("automountServiceAccountToken") is False, "no account in the cluster")
    want(not any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")), "nothing of the host's")
    want(not any("hostPath" in volume for volume in pod.get("volumes", [])), "no folder of the host's")
    for container in pod["containers"] + pod.get("initContainers", []):
        own = container.get("securityContext", {})
        want(own.get("readOnlyRootFilesystem") is True, "a read-only root")
        want(own.get("allowPrivilegeEscalation") is False and not own.get("privileged"), "no more rights than it began with")
        want(own.get("capabilities") == {"drop": ["ALL"]}, "no capabilities")
        want(own.get("runAsUser", 1) > 0 and own.get("runAsNonRoot", True) is True, "not as root")
        for kind in ("requests", "limits"):
            want(container.get("resources", {}).get(kind, {}).keys() == {"cpu", "memory"}, f"{kind} of time and memory")
        if workload["kind"] == "Deployment":
            ports = {port["name"] for port in container.get("ports", [])}
            for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
                asked = container.get(probe, {}).get("httpGet", {})
                want(asked.get("path") == path and asked.get("port") in ports, f"{probe} at {path}")
    return said


def test_all_of_ours_are_looked_at():
    assert set(WORKLOADS) == {f"Deployment {service}" for service in SERVICES} | {f"Job {service}-migrate" for service in SERVICES}
    # A defaults' container of another name would be a second one.
    assert all(len(workload["spec"]["template"]["spec"]["containers"]) == 1 for workload in WORKLOADS.values())


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_has_probes_limits_and_no_rights(name):
    assert wrong(WORKLOADS[name]) == []


def test_what_is_missing_is_noticed():
    workload = copy.deepcopy(WORKLOADS["Deployment content-center"])
    pod = workload["spec"]["template"]["spec"]
    pod["securityContext"]["runAsUser"] = 0
    container = pod["containers"][0]
    container["securityContext"]["readOnlyRootFilesystem"] = False
    del container["readinessProbe"], container["resources"]["limits"]["memory"]
    container["livenessProbe"]["httpGet"]["port"] = "other"
    assert wrong(workload) == [
        "not as root", "a read-only root", "limits of time and memory", "livenessProbe at /healthz", "readinessProbe at /readyz"]


def test_a_service_keeps_what_it_says_itself():
    """The media workers' memory is more than the defaults', whatever comes after them."""
    container = WORKLOADS["Deployment content-center"]["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"]["memory"] == "5Gi"
    assert {"OBJECT_DIRECTORY", "MEDIA_WORKERS", "DRAIN_DEADLINE"} <= {entry["name"] for entry in container["env"]}
