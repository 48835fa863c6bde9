"""`make run` and `make stop` themselves, on a stack of their own beside the tests': however it ends, nothing stays behind."""

import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from support import REPOSITORY, eventually

sys.path.insert(0, str(REPOSITORY / "deploy/local"))
from parts.layout import OBJECTS, SANDBOX, SERVICES, Layout, free_port, listens  # noqa: E402
from parts.services import Services  # noqa: E402
from parts.stack import remove  # noqa: E402


@dataclass
class Run:
    """One directory, in which `make run` is started again and again."""

    directory: pathlib.Path
    environment: dict[str, str] = field(repr=False)
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
        assert re.search(r"^  draft     [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} \(version 1, draft\)$", said, re.MULTILINE), said[-2000:]
        assert self.processes() and all(listens(port) for port in self.ports)

    def said(self) -> str:
        return (self.directory / "make.log").read_text(errors="replace")

    def pid(self, name: str) -> int:
        return int((self.directory / "pids" / name).read_text())

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


SERVERS = ("postgres", "rabbitmq")


def assert_told_where_everything_is(run: Run) -> None:
    """For its owner alone: the file holds passwords."""
    path = run.directory / "run.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = dict(line.split("=", 1) for line in path.read_text().splitlines())
    assert told.keys() == {
        "DEMO_EMAIL", "DEMO_PASSWORD", "DEMO2_EMAIL", "DEMO2_PASSWORD", "ADMINISTRATOR_EMAIL", "ADMINISTRATOR_PASSWORD",
        "AMQP_URL", SANDBOX.url_key, OBJECTS.url_key,
        *(key for service in SERVICES for key in (service.url_key, service.database_key))}
    assert all(told.values())
    said = run.said()
    for service in (*SERVICES, SANDBOX):
        assert re.search(rf"^  {service.product} +{re.escape(told[service.url_key])} +pid {run.pid(service.product)}$", said, re.MULTILINE)
    assert {path.name for path in (run.directory / "pids").iterdir()} == {
        "stack", *SERVERS, *(service.product for service in (*SERVICES, SANDBOX))}


def assert_started_again(run: Run, name: str) -> None:
    before = run.pid(name)
    os.kill(before, signal.SIGKILL)
    eventually(
        lambda: run.said(), lambda said: f"{name} killed by signal 9; starting it again" in said, "the log says so", seconds=60)
    eventually(lambda: run.pid(name), lambda pid: pid != before, f"{name} is another process", seconds=60)
    port = next(int(run.environment[service.port_key]) for service in SERVICES if service.product == name)
    eventually(lambda: listens(port), bool, f"{name} listens again", seconds=120)


def test_an_interrupt_for_make_alone_stops_everything(run):
    run.start()
    assert_told_where_everything_is(run)
    assert_started_again(run, "content-center")
    run.make.send_signal(signal.SIGINT)
    assert run.make.wait(60) is not None
    run.assert_nothing_left()


def test_the_stack_ends_with_a_make_that_was_killed(run):
    # As where the checkout was removed and cloned again: its servers' data may have stayed, with passwords that nobody knows.
    shutil.rmtree(run.directory)
    run.directory.mkdir(mode=0o700)
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


def test_each_service_is_told_the_settings_that_are_its_own(monkeypatch, tmp_path):
    owners = {
        "OPENAI_API_KEY": "agent-center", "DEEPSEEK_API_KEY": "agent-center", "MODEL_LADDER": "agent-center",
        "IMAGE_API_KEY": "orchestration-service", "ASR_API_KEY_FILE": "content-center", "S3_BUCKET": "content-center",
        "MEDIA_SOURCE_ORIGINS": "content-center", "RATE_LIMIT_SCALE": "gateway-bff"}
    for name in owners:
        monkeypatch.setenv(name, f"of {name}")
    monkeypatch.setenv("ASR_MODEL", "")  # as if it were not there
    secrets = type("Secrets", (defaultdict,), {"context_public_keys": "keys"})(str)
    services = Services(
        Layout.for_tests(tmp_path), secrets, SimpleNamespace(url=lambda *_: "postgres://"), SimpleNamespace(url="amqp://"), tmp_path)
    told = {service.product: services.environment(service) for service in (*SERVICES, SANDBOX)}
    for name, owner in owners.items():
        assert [product for product in told if name in told[product]] == [owner] and told[owner][name] == f"of {name}"
    assert "ASR_MODEL" not in told["content-center"]


# What `make run` does after the build, which is there already and not everybody's to write to.
AS_SOMEBODY = """
import pathlib, sys
sys.path.insert(0, "deploy/local")
from parts.demo import generate_titles, show_titles, sign_in
from parts.layout import Layout
from parts.stack import Stack
stack = None
try:
    layout = Layout.for_run()
    stack = Stack(layout)
    stack.start_backends()
    stack.start_services(pathlib.Path(sys.argv[1]))
    gateway = layout.url("gateway-bff")
    show_titles(generate_titles(gateway, sign_in(gateway, stack.demo["DEMO_EMAIL"], stack.demo["DEMO_PASSWORD"])))
finally:
    if stack is not None:
        stack.stop()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else; the other tests ran as an ordinary account")
def test_it_runs_as_an_ordinary_account_too():
    """PostgreSQL and RabbitMQ are its own then, and nothing belongs to root."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*nobody, "test", "-r", str(REPOSITORY / "deploy/local/stack.py")], check=False).returncode != 0:
        pytest.skip("the checkout is where no other account can look")
    with tempfile.TemporaryDirectory(prefix="test-somebody-", dir="/var/tmp") as name:
        directory = pathlib.Path(name)
        os.chown(directory, 65534, 65534)
        environment = {"PATH": os.environ["PATH"], "HOME": name, "STACK_DIRECTORY": str(directory / "stack")}
        environment |= {service.port_key: str(free_port()) for service in (*SERVICES, SANDBOX, OBJECTS)}
        products = os.environ.get("TEST_PRODUCTS_DIR", str(REPOSITORY / ".build/debug"))
        result = subprocess.run(
            [*nobody, "/usr/bin/python3", "-c", AS_SOMEBODY, products], cwd=REPOSITORY, env=environment, text=True, timeout=600,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert result.returncode == 0, result.stdout[-3000:]
        assert re.search(r"^  draft     [0-9a-f-]{36} ", result.stdout, re.MULTILINE), result.stdout[-3000:]
        owners = {path.lstat().st_uid for path in directory.rglob("*")}
        assert owners == {65534}
