#!/usr/bin/env python3
"""The measurements of `make bench-models`: our model gateway beside LiteLLM's proxy; prints figures and asserts none.

Both sit before the same compiled upstream, in the same run, one after the other and again: gateway-bff and agent-center with a tenant's
API key, a budget and the durable ledger on, against LiteLLM with 2 workers at its leanest (no key, no database, no callbacks). Each has
the same two cores; the load and the upstream share them.

(a) whole answers at 0 ms and 50 ms, c = 1, 16, 64: requests/s, CPU per request, latency added to the upstream's own
(b) 64 streams at once: delay of the first chunk and jitter of the others
(c) memory after REQUESTS requests (100,000)
(d) clients that leave their streams: how soon the vendor (the sandbox, whose log knows) is hung up on; LiteLLM takes no part in it

At the end the same as the tables of README.md and README.zh-CN.md. SECONDS_EACH=10 REQUESTS=100000 change the length, PARTS=abcd what is
measured; (d) alone needs no LiteLLM.
"""

import asyncio
import datetime
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import bench
from common import EXECUTABLES, HERE, TICKS, commit, cpu_model, pss_megabytes, release_stack
from parts.layout import REPOSITORY, SERVICES, StackError, free_port
from parts.processes import Managed, launch, say, wait_until
from parts.services import answers

DURATION = int(os.environ.get("SECONDS_EACH", "10"))
REQUESTS = int(os.environ.get("REQUESTS", "100000"))
PARTS = os.environ.get("PARTS", "abcd")
DELAYS, CONNECTIONS, STREAMS, CHUNKS = (0, 50), (1, 16, 64), 64, 40
LEAVERS, LEAVERS_AT_ONCE, TOKEN_GAP = 100, 10, 200
WORKERS = 2
# Where there are more cores, neither side gets them.
ON_TWO_CORES = ["taskset", "-c", "0,1"] if (os.cpu_count() or 1) > WORKERS else []


class Table:
    """What was found, as both READMEs quote it: figures that differ in one number only share a row."""

    def __init__(self):
        self.rows: dict[tuple[str, str], dict] = {}

    def add(self, what: str, chinese: str, ours: float, theirs: float | None, aim: str = "", more_is_better: bool = False) -> None:
        row = self.rows.setdefault((what, chinese), {"ours": [], "theirs": [], "times": [], "aim": aim})
        row["ours"].append(figure(ours))
        if theirs is not None:
            row["theirs"].append(figure(theirs))
            ratio = (ours / theirs if more_is_better else theirs / ours) if min(ours, theirs) > 0 else None
            row["times"].append("–" if ratio is None else figure(ratio))

    def show(self) -> None:
        other = f"LiteLLM {litellm_version()}" if set(PARTS) & set("abc") else "LiteLLM"
        say(f"\n{datetime.date.today().isoformat()}, commit {commit()}, {os.cpu_count()} × {cpu_model()}; {DURATION} s each, "
            f"memory after {REQUESTS:,} requests")
        for language, head in enumerate((f"| | ours | {other} | better by | aim |", f"| | 我们 | {other} | 优于 | 目标 |")):
            say(f"\n{head}\n|---|---:|---:|---:|---:|")
            for names, row in self.rows.items():
                times = f"{' / '.join(row['times'])} ×" if row["times"] else "–"
                say(f"| {names[language]} | {' / '.join(row['ours'])} | {' / '.join(row['theirs']) or '–'} | {times} | {row['aim']} |")


def figure(value: float) -> str:
    """Two digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"


class Peer:
    """Somebody who answers chat requests, with the processes that do it."""

    def __init__(self, name: str, url: str, processes, key: str | None = None):
        self.name, self.url, self.key, self.processes = name, url, key, processes

    def cpu(self) -> dict[str, float]:
        return {name: sum(cpu_seconds(pid) for pid in tree(pid)) for name, pid in self.processes().items()}


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
    if "Non-2xx or 3xx responses" in output or "Socket errors" in output:
        raise StackError(f"{url}: requests failed:\n{output}")

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

def whole_answers(direct: dict[int, str], peers: dict[int, list[Peer]], table: Table) -> None:
    say(f"(a) whole answers, {DURATION} s each, interleaved; `added` is over the upstream's own latency")
    for delay in DELAYS:
        for connections in CONNECTIONS:
            floor = load(direct[delay], None, connections, DURATION)
            for peer in peers[delay]:
                load(peer.url, peer.key, connections, 2)
            found = [measured(peer, connections, DURATION) for peer in peers[delay]]
            say(f"    upstream {delay} ms, c = {connections} (upstream itself: {floor['rate']:,.0f}/s)")
            for peer, report in zip(peers[delay], found):
                report["added50"], report["added99"] = (report[each] - floor[each] for each in ("p50", "p99"))
                parts = ", ".join(f"{name} {value:.3f}" for name, value in report["cpu"].items())
                say(f"      {peer.name:<8} {report['rate']:>9,.1f}/s  CPU {total(report):.3f} ms ({parts})  "
                    f"added p50 {report['added50']:.2f} ms, p99 {report['added99']:.2f} ms")
            (ours, theirs), each = found, " / ".join(map(str, CONNECTIONS))
            where, wo = f"upstream {delay} ms, c = {each}", f"上游 {delay} ms，并发 {each}"
            table.add(f"requests/s, {where}", f"请求/秒，{wo}", ours["rate"], theirs["rate"], "40 ×" if delay == 0 else "", more_is_better=True)
            table.add(f"CPU per request, ms, {where}", f"每请求 CPU（毫秒），{wo}", total(ours), total(theirs), "40 ×")
            table.add(f"added p50, ms, {where}", f"附加 p50（毫秒），{wo}", ours["added50"], theirs["added50"])
            table.add(f"added p99, ms, {where}", f"附加 p99（毫秒），{wo}", ours["added99"], theirs["added99"], "20 ×")


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
    if count != CHUNKS:
        raise StackError(f"{peer.name}: a stream ended after {count} of {CHUNKS} chunks")


def streams(direct: Peer, peers: list[Peer], table: Table) -> None:
    say(f"(b) {STREAMS} streams at once, {CHUNKS} chunks 50 ms apart")
    found: list[tuple[float, ...]] = []
    for peer in [direct, *peers]:
        lateness: list[float] = []
        first: list[float] = []

        async def all_of_them(peer=peer, lateness=lateness, first=first) -> None:
            await asyncio.gather(*(stream(peer, lateness, first) for _ in range(STREAMS)))

        # The first round makes connections and caches.
        for round_ in range(2):
            lateness.clear()
            first.clear()
            asyncio.run(all_of_them())
        ordered = sorted(lateness)
        found.append((statistics.median(first), max(first), statistics.median(lateness), ordered[int(len(ordered) * 0.99)], statistics.pstdev(lateness)))
        say("      {0:<8} first chunk p50 {1:.1f} ms, worst {2:.1f} ms; each chunk late by p50 {3:.2f} ms, p99 {4:.2f} ms, spread {5:.2f} ms".format(
            peer.name, *found[-1]))
    chunk_first = (f"first chunk of {STREAMS} streams, ms, p50 / worst", f"{STREAMS} 路流首块（毫秒），p50 / 最差")
    chunk_late = (f"chunk lateness of {STREAMS} streams, ms, p50 / p99 / jitter", f"{STREAMS} 路流分块延迟（毫秒），p50 / p99 / 抖动")
    for name, ours, theirs in zip((chunk_first,) * 2 + (chunk_late,) * 3, *found[1:]):
        table.add(*name, ours, theirs)


# (c)

def memory(peers: list[Peer], table: Table) -> None:
    say(f"(c) memory (PSS) after {REQUESTS:,} requests")
    sizes = []
    for peer in peers:
        done = 0
        while done < REQUESTS:
            done += load(peer.url, peer.key, 64, 10)["requests"]
        sizes.append({name: sum(pss_megabytes(each) for each in tree(pid)) for name, pid in peer.processes().items()})
        say(f"      {peer.name:<8} {sum(sizes[-1].values()):.0f} MB ({', '.join(f'{name} {size:.0f}' for name, size in sizes[-1].items())})")
    # PostgreSQL keeps the books, which LiteLLM does not; it is named apart.
    ours = sum(size for name, size in sizes[0].items() if name != "postgres")
    for size in (ours, sum(sizes[0].values())):
        table.add("memory after the load, MB, processes / with PostgreSQL", "负载后内存（MB），进程 / 含 PostgreSQL", size, sum(sizes[1].values()), "10 ×")


# (d)

def leaving(gateway: str, key: str, sandbox: str, table: Table) -> None:
    """The services of the stack itself, which have the sandbox for their vendor. It looks for the hang-up while it waits between tokens."""
    mark = uuid.uuid4().hex[:10]
    control(f"{sandbox}/__control/config", {"profile": "any", "fault": "slow-drip", "match": mark, "tokenGapMs": TOKEN_GAP})
    with ThreadPoolExecutor(LEAVERS_AT_ONCE) as pool:
        late = sorted(pool.map(lambda number: leave(gateway, key, sandbox, f"写一条防晒文案 {mark}-{number:03}。" * 20), range(LEAVERS)))
    p50, p99, worst = statistics.median(late), late[int(len(late) * 0.99) - 1], late[-1]
    say(f"(d) {LEAVERS} clients leave their streams (a token every {TOKEN_GAP} ms), {LEAVERS_AT_ONCE} at a time: the vendor's connection is closed "
        f"after p50 {p50:.0f} ms, p99 {p99:.0f} ms, worst {worst:.0f} ms (aim: at most 100 ms)")
    for value in (p50, p99, worst):
        table.add(
            "vendor hung up on after its client left, ms, p50 / p99 / worst", "客户端离开后挂断上游（毫秒），p50 / p99 / 最差", max(value, 0), None, "≤ 100 ms")


def leave(gateway: str, key: str, sandbox: str, text: str) -> float:
    """Reads a stream's beginning and goes.

    Returns: milliseconds until the vendor felt it, by this machine's clock; whole ones at the vendor's end.
    """
    address = urllib.parse.urlsplit(gateway)
    body = json.dumps({"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": text}]}).encode()
    head = (f"POST /api/openai/v1/chat/completions HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(head + body)
        seen = b""
        while seen.count(b"data: ") < 3:
            piece = connection.recv(65536)
            if not piece:
                raise StackError(f"a stream ended by itself: {seen.decode()}")
            seen += piece
        left = time.time()
    found: list[dict] = []

    def is_over() -> bool:
        query = urllib.parse.urlencode({"contains": text[:30]})
        found[:] = control(f"{sandbox}/__control/log?{query}")["attempts"]
        return len(found) == 1 and found[0]["outcome"] != "in-flight"

    wait_until(is_over, 60, "the vendor's log")
    if not found[0]["clientClosedEarly"]:
        raise StackError(f"nobody hung up on the vendor: {found[0]}")
    return found[0]["arrivedAtMs"] + found[0]["clientClosedAfterMs"] - 1000 * left


def control(url: str, body: dict | None = None) -> dict:
    """The sandbox's own routes, which need no key."""
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


# The parts

def post(url: str, token: str, body: dict) -> dict:
    request = urllib.request.Request(url, json.dumps(body).encode(), {
        "Content-Type": "application/json", "Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise StackError(f"{url} answered {error.code}: {error.read().decode()}") from error


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
                "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream}/v1/d{delay}", "OPENAI_API_KEY": "bench", "OPENAI_DIALECT": "openai",
                "MODEL_CONCURRENCY": "1000",
                "EVENT_LOOPS": str(WORKERS)},
            "gateway-bff": {"RATE_LIMIT_SCALE": "1000000", "EVENT_LOOPS": str(WORKERS), "AGENT_CENTER_URL": f"http://127.0.0.1:{ports['agent-center']}"},
        }
        processes = {}
        for name in ("agent-center", "gateway-bff"):
            environment = self.stack.services.environment(services[name]) | own[name] | {"PORT": str(ports[name])}
            process = launch(self.stack.layout, f"{name}-d{delay}", [*ON_TWO_CORES, self.stack.services.executable(services[name])], environment)
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
            "name": "bench", "scope": "tenant", "period": "month", "zone": "Asia/Shanghai", "limitNano": "9000000000000000"})

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
            *ON_TWO_CORES, litellm(), "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port), "--num_workers", str(WORKERS),
        ], environment)
        self.stack.supervisor.add(Managed(f"litellm-{delay}", lambda: process, stop_signal=lambda: signal.SIGTERM))
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health/liveliness"), 600, "LiteLLM", every=0.5)
        return Peer("LiteLLM", f"http://127.0.0.1:{port}/v1/chat/completions", lambda: {"litellm": process.pid})


def litellm() -> pathlib.Path:
    """As `deploy/local/bootstrap --bench` has installed it."""
    return REPOSITORY / ".local/bench-venv/bin/litellm"


def litellm_version() -> str:
    python = "import importlib.metadata; print(importlib.metadata.version('litellm'))"
    return subprocess.run([litellm().with_name("python"), "-c", python], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    with release_stack() as (stack, directory):
        run = Bench(stack, directory)
        stack.start_services(EXECUTABLES, run.settings(trivial=False))
        run.set_budget()
        table = Table()
        if set(PARTS) & set("abc"):
            upstream = run.start_upstream()
            direct = {delay: f"http://127.0.0.1:{upstream}/v1/d{delay}/chat/completions" for delay in DELAYS}
            peers = {delay: [run.start_ours(delay, upstream), run.start_litellm(delay, upstream)] for delay in DELAYS}
            time.sleep(5)
            if "a" in PARTS:
                whole_answers(direct, peers, table)
            if "b" in PARTS:
                streams(Peer("upstream", direct[0], dict), peers[0], table)
            if "c" in PARTS:
                memory(peers[0], table)
        if "d" in PARTS:
            gateway = stack.layout.url("gateway-bff")
            key = post(f"{gateway}/api/api-keys", run.token(), {"name": "leaving", "scopes": ["ai:generate"]})["key"]
            leaving(gateway, key, stack.layout.url("sandbox"), table)
        table.show()


if __name__ == "__main__":
    main()
