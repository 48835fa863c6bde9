#!/usr/bin/env python3
"""What a media job costs beside FFmpeg itself, as `make bench-media` measures it; prints figures and asserts none.

A video is transcoded through the service, and by FFmpeg alone with the arguments that the service gave it, in turns. The same work takes
a tenth more or less CPU from one run to the next where the processor is shared, so each job is compared with its neighbour, and the
middle of many such comparisons counts.

Release builds. SOURCE_SECONDS=60 ROUNDS=11 change the length.
"""

import datetime
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from assets_bench import AssetsBench
from common import EXECUTABLES, release_stack
from parts.layout import StackError
from parts.processes import say

SOURCE_SECONDS = int(os.environ.get("SOURCE_SECONDS", "60"))
ROUNDS = int(os.environ.get("ROUNDS", "11"))


class MediaBench(AssetsBench):
    def source(self) -> pathlib.Path:
        path = self.files / "source.mp4"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", f"testsrc2=size=1280x720:rate=30:duration={SOURCE_SECONDS}",
             "-f", "lavfi", "-i", f"sine=duration={SOURCE_SECONDS}", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
             "-c:a", "aac", str(path)], check=True)
        return path

    def keep(self, path: pathlib.Path) -> str:
        announced = self.call("POST", "/api/assets/presign", {"filename": path.name, "contentType": "video/mp4"})
        subprocess.run(
            ["curl", "-sS", "-f", "-o", "/dev/null", "-T", str(path), "-H", "Content-Type: video/mp4", announced["uploadUrl"]], check=True)
        self.call("POST", f"/api/assets/{announced['assetId']}/complete")
        # Its thumbnail takes no part in what is measured.
        while "thumbnail" not in self.call("GET", f"/api/assets/{announced['assetId']}"):
            time.sleep(0.2)
        return announced["assetId"]

    def job(self, asset: str, blind: float = 0) -> tuple[float, float, list[str]]:
        """Seconds from its start to its end, and from the order until its end was seen; and FFmpeg's arguments.

        Nobody looks for the first `blind` seconds: looking costs CPU that FFmpeg would use.
        """
        ordered, arguments = time.monotonic(), []
        body = {"type": "transcode", "assetId": asset, "profiles": ["720p"], "params": {"hls": False, "cover": False}}
        job = self.call("POST", "/api/media/jobs", body)["jobId"]
        time.sleep(blind)
        while True:
            seen = self.call("GET", f"/api/media/jobs/{job}")
            if not arguments and not blind:
                arguments = arguments_of_ffmpeg(self.directory)
            if seen["status"] not in ("queued", "running"):
                break
            time.sleep(0.05)
        if seen["status"] != "succeeded":
            raise StackError(f"the job ended as {seen}")
        begun, ended = (datetime.datetime.fromisoformat(seen[name].replace("Z", "+00:00")) for name in ("startedAt", "finishedAt"))
        return (ended - begun).total_seconds(), time.monotonic() - ordered, arguments

    def bare(self, arguments: list[str], source: pathlib.Path) -> float:
        with tempfile.TemporaryDirectory(dir=self.directory) as folder:
            os.link(source, pathlib.Path(folder) / "source0.mp4")
            started = time.monotonic()
            subprocess.run(arguments, cwd=folder, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            return time.monotonic() - started

    def compare(self) -> None:
        source = self.source()
        asset = self.keep(source)
        _, _, arguments = self.job(asset)
        blind = 0.9 * self.bare(arguments, source)
        jobs, seen, bare = [], [], []
        for round in range(ROUNDS):
            if round % 2:
                bare.append(self.bare(arguments, source))
            seconds, until_seen, _ = self.job(asset, blind)
            jobs.append(seconds)
            seen.append(until_seen)
            if not round % 2:
                bare.append(self.bare(arguments, source))
        def show(name: str, found: list[float]) -> float:
            middle = statistics.median(found)
            say(f"      {name:<34} {middle:>7.2f} s (runs: {', '.join(f'{each:.2f}' for each in found)})")
            return middle
        say(f"    {SOURCE_SECONDS} s of 1280x720 into an MP4, {ROUNDS} rounds in turns")
        show("ffmpeg alone, same arguments", bare)
        show("job, from its start to its end", jobs)
        show("job, from the order to its sight", seen)
        over = sorted(100 * (job / alone - 1) for job, alone in zip(jobs, bare))
        say(f"      overhead                           {statistics.median(over):>6.1f} % of wall time, the middle of the rounds' "
            f"({', '.join(f'{each:.1f}' for each in over)}; aim: at most 3)")


def arguments_of_ffmpeg(directory: pathlib.Path) -> list[str]:
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.readlink(f"/proc/{entry}/cwd").startswith(str(directory.resolve())):
                words = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().decode().split("\0")[:-1]
                if words and words[0] == "ffmpeg":
                    return words
        except OSError:
            continue
    return []


def main() -> None:
    with release_stack() as (stack, directory):
        stack.start_services(EXECUTABLES, {"gateway-bff": {"RATE_LIMIT_SCALE": "100000"}})
        MediaBench(stack, directory).compare()


if __name__ == "__main__":
    main()
