"""A private PostgreSQL 15: own data, own port, loopback only, never as root."""

import os
import pathlib
import shutil
import signal
import subprocess

from .layout import REPOSITORY, SERVICES, Layout, StackError, account_ids, free_port, server_account
from .processes import Managed, Supervisor, kill_all, launch, pids_working_in, wait_until, write_atomically
from .secrets_file import ROLES, Secrets

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")


class Postgres:
    def __init__(self, layout: Layout, secrets: Secrets, *, for_tests: bool):
        self.layout, self.secrets, self.for_tests = layout, secrets, for_tests
        self.port = free_port()
        self.user = server_account("postgres")
        self.data = layout.server_directory("postgres", self.user, anew=secrets.are_new)
        self.started_before = False

    def url(self, database: str = "postgres", role: str = "postgres") -> str:
        key = "postgres.password" if role == "postgres" else f"{role.replace('_', '.')}.password"
        return f"postgres://{role}:{self.secrets[key]}@127.0.0.1:{self.port}/{database}"

    def start(self, supervisor: Supervisor) -> None:
        if not (BINARIES / "initdb").exists():
            raise StackError("PostgreSQL 15 is not installed; deploy/local/bootstrap installs it")
        self._end_leftovers()
        if self.for_tests and (self.data / "PG_VERSION").exists():
            shutil.rmtree(self.data)
            self.data = self.layout.server_directory("postgres", self.user)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        supervisor.add(Managed(
            "postgres", self._launch, stop_signal=lambda: signal.SIGINT, stop_seconds=20, before_restart=self._end_leftovers))
        wait_until(self.is_ready, 60, f"PostgreSQL on port {self.port} (see {self.layout.logs}/postgres.log)")
        self._create_databases()

    def is_ready(self) -> bool:
        return subprocess.run(
            [BINARIES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False).returncode == 0

    def _environment(self) -> dict[str, str]:
        return {"PATH": f"{BINARIES}:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.data)}

    def _initialise(self) -> None:
        password_file = self.data.parent / "postgres.initial-password"
        write_atomically(password_file, self.secrets["postgres.password"] + "\n", 0o600)
        if self.user is not None:
            os.chown(password_file, *account_ids(self.user))
        process = launch(
            self.layout, "initdb",
            [str(BINARIES / "initdb"), "-D", str(self.data), "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8",
             "--auth=scram-sha-256", f"--pwfile={password_file}", *(["--no-sync"] if self.for_tests else [])],
            self._environment(), user=self.user, directory=self.data, fresh_log=True)
        status = process.wait()
        password_file.unlink()
        if status != 0:
            raise StackError(f"initdb failed; see {self.layout.logs}/initdb.log")

    def _launch(self) -> subprocess.Popen:
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": 300,
            "shared_buffers": "128MB", "log_line_prefix": "%m [%p] %d %u ", "timezone": "UTC",
        }
        if self.for_tests:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        else:
            # Plans are kept: those made while a table was empty are bad ones until it is analysed, which must not take a minute. And rows
            # of outboxes and queues live for a moment only.
            settings |= {"autovacuum_naptime": "10s"}
        arguments = [str(BINARIES / "postgres"), "-D", str(self.data)]
        for key, value in settings.items():
            arguments += ["-c", f"{key}={value}"]
        fresh, self.started_before = not self.started_before, True
        return launch(
            self.layout, "postgres", arguments, self._environment(), user=self.user, directory=self.data, fresh_log=fresh)

    def _end_leftovers(self) -> None:
        """After kill -9 of the postmaster its busy backends live on and block a restart: they are known by their directory."""
        kill_all(lambda: pids_working_in(self.data), "PostgreSQL")
        if (self.data / "postmaster.pid").exists():
            (self.data / "postmaster.pid").unlink()

    def _create_databases(self) -> None:
        for service in SERVICES:
            environment = {
                "PATH": os.environ["PATH"], "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "postgres",
                "PGDATABASE": "postgres", "PGPASSWORD": self.secrets["postgres.password"], "SERVICE": service.database,
                **{f"{role.upper()}_PASSWORD": self.secrets[f"{service.database}.{role}.password"] for role in ROLES},
            }
            result = subprocess.run(
                [BINARIES / "psql", "-X", "-q", "-f", REPOSITORY / "deploy/postgres/roles.sql"],
                env=environment, capture_output=True, text=True, check=False)
            if result.returncode != 0:
                raise StackError(f"the roles of {service.database} could not be made: {result.stderr}")
