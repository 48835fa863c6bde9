#!/usr/bin/env python3
"""Files through the object listener, as `make bench` measures them; prints figures and asserts none.

(a) signed downloads against nginx serving the same file from its folder (wrk, runs interleaved), small and large
(b) memory of content-center while 1 GB goes in and out

Release builds. SECONDS_EACH=10 ROUNDS=3 CONNECTIONS=64 change the length.
"""

import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import time
import urllib.request

from bench import CONNECTIONS, DURATION, ROUNDS
from common import EXECUTABLES, HERE, cpu_seconds, release_stack, run_wrk
from parts.demo import sign_in
from parts.layout import StackError, free_port
from parts.processes import Managed, launch, say, wait_until
from parts.services import answers
from parts.stack import Stack

# A cover, and a piece of a video.
SIZES = {"16 kB": 16 << 10, "1 MB": 1 << 20}
LARGE = 1 << 30


class AssetsBench:
    def __init__(self, stack: Stack, directory: pathlib.Path):
        self.stack, self.directory, self.port = stack, directory, free_port()
        self.files = directory / "files"
        self.files.mkdir()
        gateway = stack.layout.url("gateway-bff")
        self.gateway, self.token = gateway, sign_in(gateway, stack.demo["DEMO_EMAIL"], stack.demo["DEMO_PASSWORD"])

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        request = urllib.request.Request(
            self.gateway + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())

    def upload(self, path: pathlib.Path) -> str:
        announced = self.call("POST", "/api/assets/presign", {
            "filename": f"{path.stem}.mp4", "contentType": "video/mp4", "size": path.stat().st_size})
        subprocess.run(["curl", "-sS", "-f", "-o", "/dev/null", "-T", str(path), "-H", "Content-Type: video/mp4", announced["uploadUrl"]], check=True)
        self.call("POST", f"/api/assets/{announced['assetId']}/complete")
        return self.call("GET", f"/api/assets/{announced['assetId']}/download-url")["url"]

    def file(self, name: str, size: int) -> pathlib.Path:
        path = self.files / f"{name}.mp4"
        with open(path, "wb") as file:
            file.write(b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + os.urandom(min(size, 1 << 20) - 24))
            file.truncate(size)
        return path

    def start_nginx(self) -> None:
        nginx = self.directory / "nginx"
        nginx.mkdir()
        text = (HERE / "nginx_files.conf.in").read_text()
        # Started as root its workers would be somebody who may not read the files.
        user = "user root;" if os.geteuid() == 0 else ""
        for name, value in (("USER", user), ("DIRECTORY", nginx), ("FILES", self.files), ("PORT", self.port)):
            text = text.replace(f"@{name}@", str(value))
        (nginx / "nginx.conf").write_text(text)
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        arguments = [binary, "-p", str(nginx), "-c", str(nginx / "nginx.conf"), "-e", str(nginx / "error.log")]
        self.stack.supervisor.add(Managed(
            "nginx", lambda: launch(self.stack.layout, "nginx", arguments, dict(os.environ)), stop_signal=lambda: signal.SIGTERM))
        wait_until(lambda: answers(f"http://127.0.0.1:{self.port}/healthz"), 10, "nginx")

    def downloads(self) -> None:
        pid = self.stack.supervisor.pid("content-center")
        say(f"(a) signed downloads, {CONNECTIONS} connections, {ROUNDS} x {DURATION} s, interleaved with nginx")
        for name, size in SIZES.items():
            path = self.file(name.replace(" ", "-"), size)
            peers = {"nginx": f"http://127.0.0.1:{self.port}/{path.name}", "signed": self.upload(path)}
            found: dict[str, list[float]] = {peer: [] for peer in peers}
            spent, requests = 0.0, 0
            for url in peers.values():
                run_wrk(["-c", str(CONNECTIONS), "-d", "1s", url])
            for _ in range(ROUNDS):
                for peer, url in peers.items():
                    before = cpu_seconds(pid)
                    report = run_wrk(["-c", str(CONNECTIONS), "-d", f"{DURATION}s", url])
                    found[peer].append(report["rate"])
                    if peer == "signed":
                        spent, requests = spent + cpu_seconds(pid) - before, requests + report["requests"]
            middle = {peer: statistics.median(rates) for peer, rates in found.items()}
            for peer in peers:
                rates = ", ".join(f"{rate:,.0f}" for rate in found[peer])
                say(f"      {name:>6} {peer:<7} {middle[peer]:>9,.0f} requests/s, {middle[peer] * size / 1e6:>8,.0f} MB/s (runs: {rates})")
            say(f"      {name:>6} ratio   {middle['signed'] / middle['nginx']:.2f} of nginx (aim: at least 0.5); "
                f"{1e6 * spent / max(requests, 1):.0f} µs of CPU per download")

    def memory(self) -> None:
        pid, path = self.stack.supervisor.pid("content-center"), self.file("large", LARGE)
        announced = self.call("POST", "/api/assets/presign", {"filename": "large.mp4", "contentType": "video/mp4", "size": LARGE})
        say(f"(b) memory while 1 GB passes: {resident(pid)} MB before")
        self.watch(pid, "in", ["-T", str(path), "-H", "Content-Type: video/mp4", announced["uploadUrl"]])
        self.call("POST", f"/api/assets/{announced['assetId']}/complete")
        self.watch(pid, "out", [self.call("GET", f"/api/assets/{announced['assetId']}/download-url")["url"]])

    @staticmethod
    def watch(pid: int, name: str, arguments: list[str]) -> None:
        started, peak = time.monotonic(), 0
        with subprocess.Popen(["curl", "-sS", "-f", "-o", "/dev/null", *arguments]) as curl:
            while curl.poll() is None:
                peak = max(peak, resident(pid))
                time.sleep(0.01)
        if curl.returncode != 0:
            raise StackError(f"curl ended with {curl.returncode}")
        seconds = time.monotonic() - started
        say(f"      {name:<4} {peak} MB at most, {LARGE / seconds / 1e6:,.0f} MB/s")


def resident(pid: int) -> int:
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) >> 10
    raise StackError(f"no memory figures of {pid}")


def main() -> None:
    with release_stack() as (stack, directory):
        stack.start_services(EXECUTABLES, {"gateway-bff": {"RATE_LIMIT_SCALE": "100000"}})
        bench = AssetsBench(stack, directory)
        bench.start_nginx()
        bench.downloads()
        bench.memory()


if __name__ == "__main__":
    main()
