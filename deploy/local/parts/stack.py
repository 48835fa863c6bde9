"""A whole stack: PostgreSQL and RabbitMQ, then the sandbox and the five services, under one supervisor."""

import os
import pathlib
import shutil
import signal
import time

from .layout import OBJECTS, SANDBOX, SERVICES, Layout, StackError
from .postgres import Postgres
from .processes import (
    Supervisor, adopt_orphans, collect_orphans, kill_all, pids_with_mark, pids_working_in, say, write_atomically,
)
from .rabbitmq import RabbitMQ
from .secrets_file import Secrets, password
from .services import Services

DEMO_EMAILS = ("demo@example.com", "demo2@example.com")
ADMINISTRATOR_EMAIL = "administrator@example.com"


class Stack:
    def __init__(self, layout: Layout, *, for_tests: bool = False):
        adopt_orphans()
        layout.create()
        refuse_second(layout)
        sweep(layout)
        write_atomically(layout.pids / "stack", f"{os.getpid()}\n")
        self.layout, self.for_tests = layout, for_tests
        self.secrets = Secrets(layout)
        self.supervisor = Supervisor(layout)
        self.postgres = Postgres(layout, self.secrets, for_tests=for_tests)
        self.rabbitmq = RabbitMQ(layout, self.secrets, for_tests=for_tests)
        self.services: Services | None = None
        self.demo: dict[str, str] = {}

    def start_backends(self) -> None:
        self.rabbitmq.start(self.supervisor)
        self.postgres.start(self.supervisor)

    def start_services(self, products: pathlib.Path, overrides: dict[str, dict[str, str]] | None = None) -> None:
        self.layout.refuse_taken_ports()
        self.rabbitmq.wait_until_ready()
        self.services = Services(self.layout, self.secrets, self.postgres, self.rabbitmq, products, overrides)
        self.services.migrate()
        self.services.start(self.supervisor)
        self.services.wait_until_ready(self.supervisor)
        self._seed_demo()
        # Tests make their own, as an operator does.
        if not self.for_tests:
            self._create_administrator()
        self._write_run_env()

    def _seed_demo(self) -> None:
        self.demo = {
            "DEMO_EMAIL": DEMO_EMAILS[0], "DEMO_PASSWORD": password(),
            "DEMO2_EMAIL": DEMO_EMAILS[1], "DEMO2_PASSWORD": password(),
        }
        self._command_gateway("seed-demo", extra=self.demo)

    def _create_administrator(self) -> None:
        """The platform's, with the same password every time: the command leaves one who is there as he is."""
        administrator = {"ADMINISTRATOR_PASSWORD": self.secrets["gateway-bff.administrator.password"]}
        self._command_gateway("create-administrator", ADMINISTRATOR_EMAIL, extra=administrator)
        self.demo |= {"ADMINISTRATOR_EMAIL": ADMINISTRATOR_EMAIL, **administrator}

    def _command_gateway(self, name: str, *arguments: str, extra: dict[str, str]) -> None:
        gateway = next(service for service in SERVICES if service.product == "gateway-bff")
        result = self.services.command(gateway, name, *arguments, extra=extra)
        if result.returncode != 0:
            raise StackError(f"gateway-bff {name} failed:\n{result.stdout}{result.stderr}")

    def _write_run_env(self) -> None:
        """What somebody who inspects the running stack needs; the database URLs are the local administrator's."""
        values = {"GATEWAY_URL": self.layout.url("gateway-bff"), **self.demo, "SANDBOX_URL": self.layout.url("sandbox")}
        values["AMQP_URL"] = self.rabbitmq.url
        for service in SERVICES:
            values[service.database_key] = self.postgres.url(service.database)
        for service in SERVICES:
            values[service.url_key] = self.layout.url(service.product)
        values[OBJECTS.url_key] = self.layout.url(OBJECTS.product)
        write_atomically(self.layout.run_env, "".join(f"{key}={value}\n" for key, value in values.items()), 0o600)

    def stop(self) -> None:
        self.layout.run_env.unlink(missing_ok=True)
        self.supervisor.stop()
        self.rabbitmq.end_epmd()
        sweep(self.layout)
        collect_orphans()
        (self.layout.pids / "stack").unlink(missing_ok=True)

    def show_where(self) -> None:
        say("")
        for service in (*reversed(SERVICES), SANDBOX):
            pid = self.supervisor.pid(service.product)
            say(f"  {service.product:<26} {self.layout.url(service.product):<24} pid {pid}")
        pid = self.supervisor.pid("content-center")
        say(f"  {OBJECTS.product:<26} {self.layout.url(OBJECTS.product):<24} pid {pid}")
        say(f"  {'postgres':<26} {'127.0.0.1:' + str(self.postgres.port):<24} pid {self.supervisor.pid('postgres')}")
        say(f"  {'rabbitmq':<26} {'127.0.0.1:' + str(self.rabbitmq.port):<24} pid {self.supervisor.pid('rabbitmq')}")
        relative = os.path.relpath(self.layout.directory)
        say(f"\n  settings and demo passwords: {relative}/run.env   logs: {relative}/logs/")


def running_pid(layout: Layout) -> int | None:
    """The pid of the live stack of this directory, if there is one."""
    try:
        pid = int((layout.pids / "stack").read_text())
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"deploy/local" in command and pid != os.getpid() else None


def refuse_second(layout: Layout) -> None:
    if (pid := running_pid(layout)) is not None:
        raise StackError(f"a stack of this checkout is running already (pid {pid}); `make stop` ends it")


def sweep(layout: Layout) -> int:
    """Ends what an earlier stack of this directory left behind when it was killed itself."""
    data = layout.directory / "postgres"

    def postgres() -> list[int]:
        return pids_working_in(data) if data.exists() else []

    def others() -> list[int]:
        return sorted(set(pids_with_mark(layout.directory)) - set(postgres()))

    count = kill_all(others, "the stack's processes", signal.SIGTERM)
    # Asked to, it takes its shared memory along.
    count += kill_all(postgres, "PostgreSQL", signal.SIGINT)
    for path in layout.pids.glob("*"):
        path.unlink(missing_ok=True)
    layout.run_env.unlink(missing_ok=True)
    return count


def stop_leftover(layout: Layout) -> None:
    pid = running_pid(layout)
    if pid is not None:
        say(f"stopping the stack (pid {pid})")
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 120
        while running_pid(layout) is not None and time.monotonic() < end:
            time.sleep(0.1)
    count = sweep(layout)
    say("stopped" if pid is not None or count else "nothing was running")


def sweep_old_tests(local: pathlib.Path) -> None:
    """Removes what test runs left that were killed themselves; those still running stay."""
    for directory in local.glob("test-*"):
        layout = Layout(directory)
        if layout.pids.is_dir() and running_pid(layout) is None:
            sweep(layout)
            remove(layout)


def remove(layout: Layout) -> None:
    """Deletes a stopped stack's data, wherever it lives."""
    for name in ("postgres", "rabbitmq"):
        data = layout.directory / name
        if data.is_symlink():
            shutil.rmtree(data.resolve().parent, ignore_errors=True)
    shutil.rmtree(layout.directory, ignore_errors=True)
