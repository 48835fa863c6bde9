"""A private RabbitMQ: own node name, own ports, own epmd, loopback only, never as root."""

import os
import pathlib
import shutil
import signal
import subprocess

from .layout import REPOSITORY, Layout, StackError, account_ids, free_port, listens, server_account
from .processes import Managed, Supervisor, kill_all, launch, pids_with_mark, wait_until, write_atomically
from .secrets_file import Secrets

# Debian's wrapper in /usr/sbin refuses ordinary users; the scripts behind it do not.
SERVER = pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class RabbitMQ:
    def __init__(self, layout: Layout, secrets: Secrets, *, for_tests: bool):
        self.layout, self.secrets, self.for_tests = layout, secrets, for_tests
        self.port, self.distribution_port, self.epmd_port = free_port(), free_port(), free_port()
        self.user = server_account("rabbitmq")
        self.data = layout.server_directory("rabbitmq", self.user, anew=secrets.are_new)
        self.started_before = False

    @property
    def url(self) -> str:
        return f"amqp://marketing:{self.secrets['rabbitmq.password']}@127.0.0.1:{self.port}/"

    def start(self, supervisor: Supervisor) -> None:
        if not SERVER.exists():
            raise StackError("RabbitMQ is not installed; deploy/local/bootstrap installs it")
        if self.for_tests:
            shutil.rmtree(self.data)
            self.data = self.layout.server_directory("rabbitmq", self.user)
        self._configure()
        # The pid that matters is beam.smp's: the server script replaces itself by it when told that systemd watches it.
        # A node that is still booting does not hear SIGTERM; nothing is lost by ending it at once.
        supervisor.add(Managed(
            "rabbitmq", self._launch, stop_seconds=40,
            stop_signal=lambda: signal.SIGTERM if listens(self.port) else signal.SIGKILL))

    def wait_until_ready(self) -> None:
        wait_until(lambda: listens(self.port), 180, f"RabbitMQ on port {self.port} (see {self.layout.logs}/rabbitmq.log)", every=0.2)

    def _configure(self) -> None:
        for name in ("mnesia", "log"):
            (self.data / name).mkdir(exist_ok=True, mode=0o700)
        write_atomically(
            self.data / "rabbitmq.conf",
            f"default_user = marketing\ndefault_pass = {self.secrets['rabbitmq.password']}\n"
            "loopback_users = none\nlog.console = true\nlog.console.level = info\nlog.file = false\n",
            0o600)
        write_atomically(self.data / "enabled_plugins", "[].\n", 0o600)
        write_atomically(self.data / "rabbitmq-env.conf", "", 0o600)
        # A copy: its account may be unable to read the checkout.
        write_atomically(self.data / "advanced.config", (REPOSITORY / "deploy/rabbitmq/advanced.config").read_text(), 0o600)
        if self.user is not None:
            for path in (self.data, *self.data.iterdir()):
                os.chown(path, *account_ids(self.user))

    def _launch(self) -> subprocess.Popen:
        data = self.data
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "HOME": str(data),
            "RUNNING_UNDER_SYSTEMD": "true",
            "ERL_EPMD_PORT": str(self.epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "marketing@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port), "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_MNESIA_BASE": str(data / "mnesia"), "RABBITMQ_LOG_BASE": str(data / "log"), "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(data / "rabbitmq.conf"), "RABBITMQ_ADVANCED_CONFIG_FILE": str(data / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "enabled_plugins"), "RABBITMQ_CONF_ENV_FILE": str(data / "rabbitmq-env.conf"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none",
        }
        fresh, self.started_before = not self.started_before, True
        return launch(self.layout, "rabbitmq", [str(SERVER)], environment, user=self.user, directory=data, fresh_log=fresh)

    def end_epmd(self) -> None:
        """epmd outlives the node that started it."""
        kill_all(lambda: [pid for pid in pids_with_mark(self.layout.directory) if _command(pid) == "epmd"], "epmd")


def _command(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
