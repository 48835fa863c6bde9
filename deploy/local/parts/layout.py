"""What belongs to the stack: the services, their ports, and where files live."""

import hashlib
import os
import pathlib
import random
import shutil
import socket
from dataclasses import dataclass, field

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class ServiceInfo:
    product: str
    database: str
    port_key: str
    default_port: int
    url_key: str  # how other services, and the tests, are told where it is
    upstreams: tuple[str, ...] = ()

    @property
    def database_key(self) -> str:
        return f"{self.database.upper()}_DATABASE_URL"


# In start order: a service comes after those it calls.
SERVICES = (
    ServiceInfo("content-center", "content", "CONTENT_CENTER_PORT", 8083, "CONTENT_CENTER_URL"),
    ServiceInfo(
        "delivery-connector-douyin", "connector", "CONNECTOR_PORT", 8084, "CONNECTOR_URL"),
    ServiceInfo(
        "agent-center", "agent", "AGENT_CENTER_PORT", 8082, "AGENT_CENTER_URL", ("orchestration-service",)),
    ServiceInfo(
        "orchestration-service", "orchestration", "ORCHESTRATION_PORT", 8081, "ORCHESTRATION_URL",
        ("agent-center", "content-center", "delivery-connector-douyin")),
    ServiceInfo(
        "gateway-bff", "gateway", "GATEWAY_PORT", 8080, "GATEWAY_URL",
        ("orchestration-service", "agent-center", "content-center", "delivery-connector-douyin")),
)
SANDBOX = ServiceInfo("sandbox", "", "SANDBOX_PORT", 8090, "SANDBOX_URL")
# content-center's second port: uploads and downloads under signed URLs.
OBJECTS = ServiceInfo("content-center objects", "", "OBJECT_LISTENER_PORT", 8085, "OBJECTS_URL")


class StackError(Exception):
    """Something that the person at the terminal must hear; printed without a trace."""


@dataclass
class Layout:
    """Directories and ports of one stack. `make run` has `.local` (or STACK_DIRECTORY, for a second one beside it), `make test` has
    `.local/test-…` and random ports."""

    directory: pathlib.Path
    ports: dict[str, int] = field(default_factory=dict)

    @classmethod
    def for_run(cls) -> "Layout":
        layout = cls(pathlib.Path(os.environ.get("STACK_DIRECTORY") or REPOSITORY / ".local").resolve())
        for service in (*SERVICES, SANDBOX, OBJECTS):
            text = os.environ.get(service.port_key, str(service.default_port))
            if not text.isdigit() or not 0 < int(text) < 65536:
                raise StackError(f"{service.port_key}={text} is not a port")
            layout.ports[service.product] = int(text)
        return layout

    @classmethod
    def for_tests(cls, directory: pathlib.Path) -> "Layout":
        layout = cls(directory)
        for service in (*SERVICES, SANDBOX, OBJECTS):
            layout.ports[service.product] = free_port()
        return layout

    def url(self, product: str) -> str:
        return f"http://127.0.0.1:{self.ports[product]}"

    @property
    def pids(self) -> pathlib.Path:
        return self.directory / "pids"

    @property
    def logs(self) -> pathlib.Path:
        return self.directory / "logs"

    @property
    def run_env(self) -> pathlib.Path:
        return self.directory / "run.env"

    @property
    def secrets(self) -> pathlib.Path:
        return self.directory / "secrets.json"

    def create(self) -> None:
        (REPOSITORY / ".local").mkdir(exist_ok=True)
        for directory in (self.directory, self.pids, self.logs):
            directory.mkdir(exist_ok=True, parents=True)

    def refuse_taken_ports(self) -> None:
        taken = [f"{name} ({port})" for name, port in self.ports.items() if listens(port)]
        if taken:
            keys = ", ".join(service.port_key for service in (*SERVICES, SANDBOX, OBJECTS))
            raise StackError(f"something listens already where these should: {', '.join(taken)}. Other ports: set {keys}")

    def server_directory(self, name: str, user: str | None, anew: bool = False) -> pathlib.Path:
        """A directory for PostgreSQL's or RabbitMQ's data. Those never run as root; when we do, their account may be unable to
        reach the checkout (think of /root), so the data lives in /var/tmp and is linked from here.

        anew: what is there has passwords that nobody knows any more, as where a checkout was removed and cloned again; it goes."""
        link = self.directory / name
        if user is None:
            if link.is_symlink():
                link.unlink()
            if anew:
                shutil.rmtree(link, ignore_errors=True)
            link.mkdir(mode=0o700, exist_ok=True)
            return link
        mark = hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
        parent = pathlib.Path("/var/tmp") / f"douyin-marketing-{mark}"
        parent.mkdir(mode=0o755, exist_ok=True)
        if parent.stat().st_uid != os.getuid() or parent.is_symlink():
            raise StackError(f"{parent} belongs to somebody else")
        os.chmod(parent, 0o755)
        directory = parent / name
        if anew:
            shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        os.chown(directory, *account_ids(user))
        if link.is_symlink() or not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(directory)
        return directory


def account_ids(user: str) -> tuple[int, int]:
    import pwd

    entry = pwd.getpwnam(user)
    return entry.pw_uid, entry.pw_gid


def server_account(preferred: str) -> str | None:
    """The account PostgreSQL or RabbitMQ runs as when we are root; None for an ordinary user, whose own it is."""
    import pwd

    if os.geteuid() != 0:
        return None
    for name in (preferred, "nobody"):
        try:
            pwd.getpwnam(name)
            return name
        except KeyError:
            continue
    raise StackError(f"neither {preferred} nor nobody is an account here")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


_given: set[int] = set()


def free_port() -> int:
    """A port nobody uses, below the kernel's range for outgoing connections so that none of those takes it before a restart."""
    for _ in range(500):
        port = random.SystemRandom().randrange(15000, 32000)
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise StackError("no free port found")
