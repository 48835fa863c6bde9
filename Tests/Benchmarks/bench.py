#!/usr/bin/env python3
"""The measurements of `make bench`; prints figures and asserts none.

(a) the gateway proxying an authenticated trivial call, against nginx proxying the same upstream (wrk, runs interleaved)
(b) the whole title flow with the sandbox as the model: flows/s, CPU-milliseconds per flow over the five processes, p50 and p99
(c) idle memory (PSS) of the five services
(d) from start to ready, per service

Release builds; authentication, limits and audit are on. SECONDS_EACH=10 ROUNDS=3 CONNECTIONS=64 change the length.
"""

import os
import pathlib
import shutil
import signal
import statistics
import time
import uuid

from common import EXECUTABLES, HERE, cpu_seconds, pss_megabytes, release_stack, run_wrk
from parts.demo import sign_in
from parts.layout import SERVICES, free_port
from parts.processes import Managed, launch, say, wait_until
from parts.services import answers
from parts.stack import Stack

DURATION = int(os.environ.get("SECONDS_EACH", "10"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "64"))


class Bench:
    def __init__(self, stack: Stack, directory: pathlib.Path):
        self.stack, self.directory = stack, directory
        self.upstream_port, self.proxy_port = free_port(), free_port()

    def pids(self) -> dict[str, int]:
        return {service.product: self.stack.supervisor.pid(service.product) for service in SERVICES}

    def settings(self, trivial: bool) -> dict[str, dict[str, str]]:
        sandbox = self.stack.layout.url("sandbox")
        settings = {
            "agent-center": {"OPENAI_BASE_URL": f"{sandbox}/openai/v1", "OPENAI_API_KEY": "sandbox", "OPENAI_DIALECT": "openai"},
            "gateway-bff": {"RATE_LIMIT_SCALE": "100000"},
        }
        if trivial:
            settings["gateway-bff"]["CONTENT_CENTER_URL"] = f"http://127.0.0.1:{self.upstream_port}"
        return settings

    def token(self) -> str:
        return sign_in(self.stack.layout.url("gateway-bff"), self.stack.demo["DEMO_EMAIL"], self.stack.demo["DEMO_PASSWORD"])

    # (a)

    def start_nginx(self) -> None:
        nginx = self.directory / "nginx"
        nginx.mkdir()
        text = (HERE / "nginx.conf.in").read_text()
        for name, value in (("DIRECTORY", nginx), ("UPSTREAM", self.upstream_port), ("PROXY", self.proxy_port)):
            text = text.replace(f"@{name}@", str(value))
        (nginx / "nginx.conf").write_text(text)
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        arguments = [binary, "-p", str(nginx), "-c", str(nginx / "nginx.conf"), "-e", str(nginx / "error.log")]
        self.stack.supervisor.add(Managed(
            "nginx", lambda: launch(self.stack.layout, "nginx", arguments, dict(os.environ)),
            stop_signal=lambda: signal.SIGTERM))
        wait_until(lambda: answers(f"http://127.0.0.1:{self.proxy_port}/healthz"), 10, "nginx")

    def proxying(self) -> None:
        """The gateway runs a second time with the trivial upstream in content-center's place."""
        services = self.stack.services
        gateway = next(service for service in SERVICES if service.product == "gateway-bff")
        port = free_port()
        environment = services.environment(gateway) | self.settings(trivial=True)["gateway-bff"] | {"PORT": str(port)}
        process = launch(self.stack.layout, "gateway-bff-proxying", [services.executable(gateway)], environment, fresh_log=True)
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), 20, "the second gateway")
            token = self.token()
            peers = {
                "nginx": f"http://127.0.0.1:{self.proxy_port}/api/contents",
                "gateway": f"http://127.0.0.1:{port}/api/contents",
            }
            found: dict[str, list[float]] = {name: [] for name in peers}
            latencies: dict[str, list[str]] = {name: [] for name in peers}
            for url in peers.values():
                wrk(url, token, seconds=2)
            spent, requests = 0.0, 0
            for _ in range(ROUNDS):
                for name, url in peers.items():
                    before = cpu_seconds(process.pid)
                    report = wrk(url, token, seconds=DURATION)
                    found[name].append(report["rate"])
                    latencies[name].append(report["p99"])
                    if name == "gateway":
                        spent, requests = spent + cpu_seconds(process.pid) - before, requests + report["requests"]
            middle = {name: statistics.median(rates) for name, rates in found.items()}
            say(f"(a) proxying GET /api/contents, {CONNECTIONS} connections, {ROUNDS} x {DURATION} s, interleaved")
            for name in peers:
                rates = ", ".join(f"{rate:,.0f}" for rate in found[name])
                say(f"      {name:<8} {middle[name]:>9,.0f} requests/s (runs: {rates}; p99 {', '.join(latencies[name])})")
            say(f"      ratio    {middle['gateway'] / middle['nginx']:.2f} of nginx (aim: at least 0.5); "
                f"the gateway spends {1e6 * spent / max(requests, 1):.0f} µs of CPU per request")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    # (b)

    def flow(self) -> None:
        gateway, run = self.stack.layout.url("gateway-bff"), uuid.uuid4().hex[:8]
        token = self.token()
        flow_wrk(gateway, token, f"{run}-warm", seconds=3)
        before = {name: cpu_seconds(pid) for name, pid in self.pids().items()}
        report = flow_wrk(gateway, token, run, seconds=max(DURATION, 15))
        spent = {name: cpu_seconds(pid) - before[name] for name, pid in self.pids().items()}
        flows = report["requests"]
        say(f"(b) the title flow, sandbox at 0 ms, 16 connections: {report['rate']:.0f} flows/s, "
            f"p50 {report['p50']}, p99 {report['p99']}, {report['failed']} not 2xx")
        say(f"      CPU per flow {1000 * sum(spent.values()) / max(flows, 1):.2f} ms over five processes (aim: at most 2): "
            + ", ".join(f"{name} {1000 * value / max(flows, 1):.2f}" for name, value in spent.items()))

    # (c)

    def memory(self, when: str) -> None:
        sizes = {name: pss_megabytes(pid) for name, pid in self.pids().items()}
        say(f"(c) memory {when}: {sum(sizes.values()):.1f} MB PSS for the five (aim when idle: at most 100): "
            + ", ".join(f"{name} {size:.1f}" for name, size in sizes.items()))

    # (d)

    def starting(self) -> None:
        services = self.stack.services
        say(f"(d) from start to ready, median of {ROUNDS + 2} (aim: at most 300 ms)")
        for service in SERVICES:
            times = []
            for _ in range(ROUNDS + 2):
                port = free_port()
                environment = services.environment(service) | {"PORT": str(port), "OBJECT_LISTENER_PORT": "0"}
                started = time.monotonic()
                process = launch(self.stack.layout, f"{service.product}-start", [services.executable(service)], environment)
                wait_until(lambda port=port: answers(f"http://127.0.0.1:{port}/readyz"), 20, service.product, every=0.002)
                times.append(1000 * (time.monotonic() - started))
                process.send_signal(signal.SIGTERM)
                process.wait(30)
            say(f"      {service.product:<26} {statistics.median(times):>5.0f} ms")


def wrk(url: str, token: str, seconds: int) -> dict:
    return run_wrk(["-c", str(CONNECTIONS), "-d", f"{seconds}s", "-H", f"Authorization: Bearer {token}", url])


def flow_wrk(gateway: str, token: str, run: str, seconds: int) -> dict:
    return run_wrk(["-c", "16", "-d", f"{seconds}s", "-s", str(HERE / "titles.lua"), gateway, "--", token, run])


def main() -> None:
    with release_stack() as (stack, directory):
        bench = Bench(stack, directory)
        stack.start_services(EXECUTABLES, bench.settings(trivial=False))
        time.sleep(5)
        bench.memory("idle")
        bench.starting()
        bench.start_nginx()
        bench.proxying()
        bench.flow()
        bench.memory("after the load")


if __name__ == "__main__":
    main()
