"""`make run` and `make stop` themselves, on a stack of their own beside the tests': however it ends, nothing stays behind."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support import REPOSITORY, eventually

sys.path.insert(0, str(REPOSITORY / "deploy/local"))
from parts.layout import OBJECTS, SANDBOX, SERVICES, Layout, free_port, listens  # noqa: E402
from parts.stack import remove  # noqa: E402


@dataclass
class Run:
    """One directory, in which `make run` is started again and again."""

    directory: pathlib.Path
    environment: dict[str, str]
    ports: list[int]
    make: subprocess.Popen | None = None

    def start(self) -> None:
        log = self.directory / "make.log"
        with open(log, "wb") as output:
            self.make = subprocess.Popen(
                ["make", "run"], cwd=REPOSITORY, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
                # Not as in the background of a script, where interrupts are ignored.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        said = eventually(
            lambda: log.read_text(errors="replace"), lambda text: "up; Ctrl-C" in text or self.make.poll() is not None,
            "make run is up", seconds=180)
        assert "up; Ctrl-C" in said, said[-2000:]
        assert sum(line.lstrip()[:2] in ("1.", "2.", "3.", "4.", "5.") for line in said.splitlines()) == 5
        assert self.processes() and all(listens(port) for port in self.ports)

    def stop_command(self) -> str:
        return subprocess.run(
            ["make", "stop"], cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, timeout=120, check=True).stdout

    def processes(self) -> list[str]:
        """Everything that works in the directory, was started with it or names it; its servers' data may be in /var/tmp."""
        needles = {str(self.directory).encode()}
        needles |= {str(link.resolve()).encode() for link in self.directory.iterdir() if link.is_symlink()}
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) in (os.getpid(), self.make.pid if self.make else 0):
                continue
            try:
                seen = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes() + os.readlink(entry / "cwd").encode()
                name = (entry / "comm").read_text().strip()
            except OSError:
                continue
            if any(needle in seen for needle in needles):
                found.append(f"{name} ({entry.name})")
        return found

    def assert_nothing_left(self) -> None:
        assert self.processes() == []
        assert [port for port in self.ports if listens(port)] == []
        assert not (self.directory / "run.env").exists()
        assert list((self.directory / "pids").iterdir()) == []

    def shared_memory(self) -> set[str]:
        """PostgreSQL's System V segments that nobody is attached to."""
        lines = pathlib.Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
        return {line.split()[1] for line in lines if line.split()[6] == "0"}


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    directory = pathlib.Path(tempfile.mkdtemp(prefix="test-run-", dir=REPOSITORY / ".local"))
    ports = {service.port_key: free_port() for service in (*SERVICES, SANDBOX, OBJECTS)}
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("TEST_", "STACK_", "MAKE", "MFLAGS"))}
    environment |= {"STACK_DIRECTORY": str(directory), **{key: str(port) for key, port in ports.items()}}
    environment.pop("LOCAL_STACK_DIRECTORY", None)
    run = Run(directory, environment, list(ports.values()))
    try:
        yield run
    finally:
        run.stop_command()
        remove(Layout(directory))


def test_an_interrupt_for_make_alone_stops_everything(run):
    run.start()
    run.make.send_signal(signal.SIGINT)
    assert run.make.wait(60) is not None
    run.assert_nothing_left()


def test_the_stack_ends_with_a_make_that_was_killed(run):
    run.start()
    run.make.kill()
    run.make.wait()
    eventually(run.processes, lambda left: not left, "the stack ends", seconds=60)
    run.assert_nothing_left()


def test_make_stop_ends_what_a_killed_stack_left(run):
    before = run.shared_memory()
    run.start()
    os.kill(int((run.directory / "pids/stack").read_text()), signal.SIGKILL)
    run.make.wait(60)
    assert run.processes(), "the services go on without their supervisor"
    assert "stopped" in run.stop_command()
    run.assert_nothing_left()
    assert run.shared_memory() <= before
    assert "nothing was running" in run.stop_command()
