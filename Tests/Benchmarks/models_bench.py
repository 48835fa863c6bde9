#!/usr/bin/env python3
"""The measurements of `make bench-models`: our model gateway beside LiteLLM's proxy; prints figures and asserts none.

Both sit before the same compiled upstream, in the same run, one after the other and again: gateway-bff and agent-center with a tenant's
API key, a budget and the durable ledger on, against LiteLLM with 2 workers at its leanest (no key, no database, no callbacks).

(a) whole answers at 0 ms and 50 ms, c = 1, 16, 64: requests/s, CPU per request, latency added to the upstream's own
(b) 64 streams at once: delay of the first chunk and jitter of the others
(c) memory after REQUESTS requests (100,000)

SECONDS_EACH=10 REQUESTS=100000 change the length.
"""

import asyncio
import json
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import bench
from bench import HERE, TICKS, commit, cpu_model
from parts.layout import REPOSITORY, SERVICES, Layout, StackError, free_port
from parts.processes import Managed, launch, say, wait_until
from parts.services import answers
from parts.stack import Stack, remove

DURATION = int(os.environ.get("SECONDS_EACH", "10"))
REQUESTS = int(os.environ.get("REQUESTS", "100000"))
DELAYS, CONNECTIONS, STREAMS = (0, 50), (1, 16, 64), 64
PRODUCTS = REPOSITORY / ".build/release"


class Peer:
    """Somebody who answers chat requests, with the processes that do it."""

    def __init__(self, name: str, url: str, processes, key: str | None = None):
        self.name, self.url, self.key, self.processes = name, url, key, processes

    def cpu(self) -> dict[str, float]:
        return {name: sum(cpu_seconds(pid) for pid in tree(pid)) for name, pid in self.processes().items()}

    def memory(self) -> float:
        return sum(bench.pss_megabytes(pid) for pid in {each for pid in self.processes().values() for each in tree(pid)})


def tree(pid: int) -> list[int]:
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid] + [each for child in children for each in tree(int(child))]


def cpu_seconds(pid: int) -> float:
    # Also what children used that are gone.
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / TICKS


def load(url: str, key: str | None, connections: int, seconds: int) -> dict:
    arguments = ["wrk", "-t", "1", "--latency", "--timeout", "30s", "-c", str(connections), "-d", f"{seconds}s",
                 "-s", str(HERE / "chat.lua"), url, "--", *([key] if key else [])]
    output = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if failed:
        raise StackError(f"{url}: {failed.group(1)} requests failed:\n{output}")

    def milliseconds(percentile: str) -> float:
        value, unit = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s)", output).groups()
        return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)),
        "requests": int(re.search(r"(\d+) requests in", output).group(1)), "p50": milliseconds("50"), "p99": milliseconds("99"),
    }


def measured(peer: Peer, connections: int, seconds: int) -> dict:
    before = peer.cpu()
    report = load(peer.url, peer.key, connections, seconds)
    spent = {name: value - before[name] for name, value in peer.cpu().items()}
    report["cpu"] = {name: 1000 * value / max(report["requests"], 1) for name, value in spent.items()}
    return report


# (a)

def whole_answers(direct: dict[int, str], peers: dict[int, list[Peer]]) -> None:
    say(f"(a) whole answers, {DURATION} s each, interleaved; `added` is over the upstream's own latency")
    for delay in DELAYS:
        for connections in CONNECTIONS:
            floor = load(direct[delay], None, connections, DURATION)
            for peer in peers[delay]:
                load(peer.url, peer.key, connections, 2)
            ours, theirs = (measured(peer, connections, DURATION) for peer in peers[delay])
            say(f"    upstream {delay} ms, c = {connections} (upstream itself: {floor['rate']:,.0f}/s)")
            for peer, found in zip(peers[delay], (ours, theirs)):
                parts = ", ".join(f"{name} {value:.3f}" for name, value in found["cpu"].items())
                say(f"      {peer.name:<8} {found['rate']:>9,.1f}/s  CPU {total(found):.3f} ms ({parts})  "
                    f"added p50 {found['p50'] - floor['p50']:.2f} ms, p99 {found['p99'] - floor['p99']:.2f} ms")
            say(f"      ratio    {ours['rate'] / theirs['rate']:.1f} x requests/s (aim 40), 1/{total(theirs) / total(ours):.1f} CPU (aim 1/40), "
                f"1/{(theirs['p99'] - floor['p99']) / max(ours['p99'] - floor['p99'], 0.001):.1f} added p99 (aim 1/20)")


def total(report: dict) -> float:
    return sum(report["cpu"].values())


# (b)

async def stream(peer: Peer, lateness: list[float], first: list[float]) -> None:
    """The upstream writes into each chunk when it was sent; what counts is how much later it is here."""
    host, port, path = re.match(r"http://([\d.]+):(\d+)(.*)", peer.url).groups()
    body = json.dumps({"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "写一条防晒文案"}]}).encode()
    key = f"Authorization: Bearer {peer.key}\r\n" if peer.key else ""
    reader, writer = await asyncio.open_connection(host, int(port))
    started = time.monotonic()
    writer.write(f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{key}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    count = 0
    async for line in reader:
        if line.startswith(b"data: [DONE]"):
            break
        for sent in re.findall(rb'"content":\s?"(\d+) "', line):
            now = time.monotonic()
            if count == 0:
                first.append(1000 * (now - started))
            lateness.append(1000 * now - int(sent) / 1000)
            count += 1
    writer.close()
    if count != 40:
        raise StackError(f"{peer.name}: a stream ended after {count} of 40 chunks")


def streams(direct: Peer, peers: list[Peer]) -> None:
    say(f"(b) {STREAMS} streams at once, 40 chunks 50 ms apart")
    for peer in [direct, *peers]:
        lateness: list[float] = []
        first: list[float] = []

        async def all_of_them(peer=peer, lateness=lateness, first=first) -> None:
            await asyncio.gather(*(stream(peer, lateness, first) for _ in range(STREAMS)))

        asyncio.run(all_of_them())
        ordered = sorted(lateness)
        say(f"      {peer.name:<8} first chunk p50 {statistics.median(first):.1f} ms, worst {max(first):.1f} ms; each chunk late by p50 "
            f"{statistics.median(lateness):.2f} ms, p99 {ordered[int(len(ordered) * 0.99)]:.2f} ms, spread {statistics.pstdev(lateness):.2f} ms")


# (c)

def memory(peers: list[Peer]) -> None:
    say(f"(c) memory (PSS) after {REQUESTS:,} requests")
    sizes = []
    for peer in peers:
        done = 0
        while done < REQUESTS:
            done += load(peer.url, peer.key, 64, 10)["requests"]
        sizes.append(peer.memory())
        say(f"      {peer.name:<8} {sizes[-1]:.0f} MB")
    say(f"      ratio    1/{sizes[1] / sizes[0]:.1f} (aim 1/10)")


# The parts

def post(url: str, token: str, body: dict) -> dict:
    request = urllib.request.Request(url, json.dumps(body).encode(), {
        "Content-Type": "application/json", "Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


class Bench(bench.Bench):
    def start_upstream(self) -> int:
        binary, port = self.directory / "upstream", free_port()
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", binary, HERE / "upstream.c"], check=True)
        self.stack.supervisor.add(Managed(
            "upstream", lambda: launch(self.stack.layout, "upstream", [binary, str(port)], dict(os.environ)),
            stop_signal=lambda: signal.SIGTERM))
        return port

    def start_ours(self, delay: int, upstream: int) -> Peer:
        """A gateway and an agent-center of their own for each delay, on the databases of the stack."""
        ports = {name: free_port() for name in ("gateway-bff", "agent-center")}
        services = {service.product: service for service in SERVICES if service.product in ports}
        own = {
            "agent-center": {
                "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream}/v1/d{delay}", "OPENAI_API_KEY": "bench", "MODEL_CONCURRENCY": "1000"},
            "gateway-bff": {"RATE_LIMIT_SCALE": "1000000", "AGENT_CENTER_URL": f"http://127.0.0.1:{ports['agent-center']}"},
        }
        processes = {}
        for name in ("agent-center", "gateway-bff"):
            environment = self.stack.services.environment(services[name]) | own[name] | {"PORT": str(ports[name])}
            process = launch(self.stack.layout, f"{name}-d{delay}", [self.stack.services.executable(services[name])], environment)
            processes[name] = process.pid
            self.stack.supervisor.add(Managed(f"{name}-d{delay}", lambda process=process: process, stop_signal=lambda: signal.SIGTERM))
            wait_until(lambda name=name: answers(f"http://127.0.0.1:{ports[name]}/readyz"), 20, name)
        gateway = f"http://127.0.0.1:{ports['gateway-bff']}"
        token = self.token()
        key = post(f"{gateway}/api/api-keys", token, {"name": f"bench {delay}", "scopes": ["ai:generate"]})["key"]
        processes["postgres"] = self.stack.supervisor.pid("postgres")
        return Peer("ours", f"{gateway}/api/openai/v1/chat/completions", lambda: processes, key)

    def set_budget(self) -> None:
        """High enough to be never reached: what is measured is that it is kept."""
        post(f"{self.stack.layout.url('gateway-bff')}/api/ai/budgets", self.token(), {
            "scope": "tenant", "period": "month", "limitNano": "9000000000000000", "currency": "USD"})

    def start_litellm(self, delay: int, upstream: int) -> Peer:
        port, folder = free_port(), self.directory / f"litellm-{delay}"
        folder.mkdir()
        (folder / "config.yaml").write_text(
            "model_list:\n  - model_name: gpt-4o-mini\n    litellm_params:\n      model: openai/gpt-4o-mini\n"
            f"      api_base: http://127.0.0.1:{upstream}/v1/d{delay}\n      api_key: bench\n"
            "litellm_settings: {telemetry: false, num_retries: 0}\n")
        environment = dict(os.environ) | {
            "LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "*",
            # Without keys it does least; it insists on being told so.
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
        process = launch(self.stack.layout, f"litellm-{delay}", [
            litellm(), "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "2",
        ], environment)
        self.stack.supervisor.add(Managed(f"litellm-{delay}", lambda: process, stop_signal=lambda: signal.SIGTERM))
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health/liveliness"), 180, "LiteLLM", every=0.5)
        return Peer("LiteLLM", f"http://127.0.0.1:{port}/v1/chat/completions", lambda: {"litellm": process.pid})


def litellm() -> pathlib.Path:
    """Installs the peer once, beside the tests' own environment."""
    environment = REPOSITORY / ".local/bench-venv"
    if not (environment / "installed").exists():
        say("installing LiteLLM")
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([environment / "bin/pip", "install", "--quiet", "-r", HERE / "requirements.txt"], check=True)
        (environment / "installed").touch()
    return environment / "bin/litellm"


def main() -> int:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    (REPOSITORY / ".local").mkdir(exist_ok=True)
    litellm()
    if subprocess.run(["swift", "build", "--configuration", "release"], cwd=REPOSITORY, check=False).returncode != 0:
        return 1
    directory = pathlib.Path(tempfile.mkdtemp(prefix="test-bench-", dir=REPOSITORY / ".local"))
    layout = Layout.for_tests(directory)
    stack = Stack(layout)
    run = Bench(stack, directory)
    try:
        stack.start_backends()
        stack.start_services(PRODUCTS, run.settings(trivial=False))
        run.set_budget()
        upstream = run.start_upstream()
        say(f"\ncommit {commit()}, {os.cpu_count()} x {cpu_model()}, {platform.release()}, release build\n")
        direct = {delay: f"http://127.0.0.1:{upstream}/v1/d{delay}/chat/completions" for delay in DELAYS}
        peers = {delay: [run.start_ours(delay, upstream), run.start_litellm(delay, upstream)] for delay in DELAYS}
        time.sleep(5)
        whole_answers(direct, peers)
        streams(Peer("upstream", direct[0], dict), peers[0])
        memory(peers[0])
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        stack.stop()
        remove(layout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
