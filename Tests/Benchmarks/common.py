"""What the benchmarks have in common: a stack of release builds, the load, and what a process uses."""

import contextlib
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "deploy/local"))

from parts.layout import REPOSITORY, Layout, StackError  # noqa: E402
from parts.processes import say  # noqa: E402
from parts.stack import Stack, remove  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
# Where executables are that need no building.
BUILT = os.environ.get("PRODUCTS")
EXECUTABLES = pathlib.Path(BUILT) if BUILT else REPOSITORY / ".build/release"


@contextlib.contextmanager
def release_stack() -> Iterator[tuple[Stack, pathlib.Path]]:
    """A stack whose services are yet to be started, and a directory; nothing is left of either. Ends the program where it cannot be."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    (REPOSITORY / ".local").mkdir(exist_ok=True)
    if not BUILT and subprocess.run(["swift", "build", "--configuration", "release", "--static-swift-stdlib"], cwd=REPOSITORY, check=False).returncode != 0:
        sys.exit(1)
    load = os.getloadavg()[0]
    directory = pathlib.Path(tempfile.mkdtemp(prefix="test-bench-", dir=REPOSITORY / ".local"))
    layout = Layout.for_tests(directory)
    stack = Stack(layout)
    try:
        stack.start_backends()
        built = f"executables of {BUILT}" if BUILT else "release build"
        say(f"\ncommit {commit()}, {os.cpu_count()} x {cpu_model()}, {platform.release()}, {built}")
        say(f"load average before it began {load:.1f}: what else runs on the machine lowers rates and lengthens latencies\n")
        yield stack, directory
    except StackError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    finally:
        stack.stop()
        remove(layout)


def run_wrk(arguments: list[str]) -> dict:
    output = subprocess.run(["wrk", "-t", "1", "--latency", "--timeout", "30s", *arguments], capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)

    def found(pattern: str) -> str:
        match = re.search(pattern, output)
        return match.group(1) if match else "?"

    report = {
        "rate": float(found(r"Requests/sec:\s+([\d.]+)")), "requests": int(found(r"(\d+) requests in")),
        "p50": found(r"50%\s+(\S+)"), "p99": found(r"99%\s+(\S+)"), "failed": int(failed.group(1)) if failed else 0,
    }
    if report["failed"] > report["requests"] / 100:
        raise StackError(f"{report['failed']} of {report['requests']} requests failed:\n{output}")
    return report


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_megabytes(pid: int) -> float:
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise StackError(f"no memory figures of {pid}")


def commit() -> str:
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout
    return head.stdout.strip() + (" with local changes" if changed.strip() else "")


def cpu_model() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
