"""The five executables and the sandbox: their environment, migrations, start and readiness."""

import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

from .layout import OBJECTS, SANDBOX, SERVICES, Layout, ServiceInfo, StackError, listens
from .postgres import Postgres
from .processes import Managed, Supervisor, launch
from .rabbitmq import RabbitMQ
from .secrets_file import Secrets

# What a service may inherit from the terminal; everything else it gets from here.
INHERITED = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "LOG_LEVEL",
    "OTEL_EXPORTER_OTLP_ENDPOINT", "DRAIN_DEADLINE", "EVENT_LOOPS",
)
# What one service alone hears of, by the beginnings of names: the budgets of requests; model vendors; the image service; the speech
# recogniser, a bucket for objects and what media jobs may take.
INHERITED_BY = {
    "gateway-bff": ("RATE_LIMIT_SCALE",),
    "agent-center": ("OPENAI_", "DEEPSEEK_", "MODEL_"),
    "orchestration-service": ("IMAGE_",),
    "content-center": ("ASR_", "S3_", "MEDIA_"),
}
_UPSTREAM_URL_KEYS = {service.product: service.url_key for service in SERVICES}


class Services:
    def __init__(
        self, layout: Layout, secrets: Secrets, postgres: Postgres, rabbitmq: RabbitMQ, products: pathlib.Path,
        overrides: dict[str, dict[str, str]] | None = None,
    ):
        self.layout, self.secrets, self.postgres, self.rabbitmq, self.products = layout, secrets, postgres, rabbitmq, products
        self.overrides = overrides or {}
        self.started: set[str] = set()

    def environment(self, service: ServiceInfo) -> dict[str, str]:
        environment = {key: os.environ[key] for key in INHERITED if os.environ.get(key)}
        prefixes = INHERITED_BY.get(service.product, ())
        environment |= {key: value for key, value in os.environ.items() if key.startswith(prefixes) and value}
        environment |= {"HOST": "127.0.0.1", "PORT": str(self.layout.ports[service.product])}
        if service is not SANDBOX:
            environment |= {
                "DATABASE_URL": self.postgres.url(service.database, f"{service.database}_app"),
                "SYSTEM_DATABASE_URL": self.postgres.url(service.database, f"{service.database}_system"),
                "AMQP_URL": self.rabbitmq.url,
                "CONTEXT_SIGNING_KEY": self.secrets[f"{service.product}.context.seed"],
                "CONTEXT_PUBLIC_KEYS": self.secrets.context_public_keys,
                **{_UPSTREAM_URL_KEYS[product]: self.layout.url(product) for product in service.upstreams},
            }
        if service.product == "gateway-bff":
            environment["ACCESS_TOKEN_SIGNING_KEY"] = self.secrets["gateway-bff.access-token.seed"]
            environment["PUBLIC_URL"] = self.layout.url(service.product)
        if service.product == "content-center":
            environment |= {
                "OBJECT_LISTENER_PORT": str(self.layout.ports[OBJECTS.product]), "OBJECT_PUBLIC_URL": self.layout.url(OBJECTS.product),
                "OBJECT_DIRECTORY": str(self.layout.directory / "objects"),
            }
        if service.product == "agent-center":
            environment["DATA_ENCRYPTION_KEYS"] = f"local={self.secrets['agent-center.data.key']}"
        return environment | self.overrides.get(service.product, {})

    def owner_environment(self, service: ServiceInfo) -> dict[str, str]:
        """What a one-off command such as `migrate` gets on top: a running server never holds the owner's URL."""
        owner = self.postgres.url(service.database, f"{service.database}_owner")
        return self.environment(service) | {"OWNER_DATABASE_URL": owner}

    def executable(self, service: ServiceInfo) -> str:
        path = self.products / service.product
        if not path.exists():
            raise StackError(f"{path} is not built")
        return str(path)

    def command(self, service: ServiceInfo, *arguments: str, extra: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.executable(service), *arguments], env=self.owner_environment(service) | (extra or {}),
            cwd=self.layout.directory, capture_output=True, text=True, timeout=120, check=False)

    def migrate(self) -> None:
        started = [
            (service, launch(
                self.layout, f"{service.product}-migrate", [self.executable(service), "migrate"],
                self.owner_environment(service), fresh_log=True))
            for service in SERVICES
        ]
        for service, process in started:
            if process.wait(120) != 0:
                raise StackError(f"{service.product} migrate failed:\n{tail(self.layout, service.product + '-migrate')}")

    def start(self, supervisor: Supervisor) -> None:
        for service in (SANDBOX, *SERVICES):
            # A drain takes up to 20 s in the service itself; a little longer here.
            supervisor.add(Managed(service.product, lambda service=service: self._launch(service), stop_seconds=25))

    def _launch(self, service: ServiceInfo) -> subprocess.Popen:
        fresh = service.product not in self.started
        self.started.add(service.product)
        return launch(
            self.layout, service.product, [self.executable(service)], self.environment(service), fresh_log=fresh)

    def wait_until_ready(self, supervisor: Supervisor, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        waiting = [SANDBOX, *SERVICES]
        while waiting:
            waiting = [service for service in waiting if not self.is_ready(service)]
            dying = [service for service in waiting if supervisor.keeps_dying(service.product)]
            if dying or (waiting and time.monotonic() > end):
                unwell = (dying or waiting)[0].product
                names = ", ".join(service.product for service in waiting)
                raise StackError(f"not ready: {names}\n{unwell}'s last words:\n{tail(self.layout, unwell)}")
            time.sleep(0.1)

    def is_ready(self, service: ServiceInfo) -> bool:
        if service is SANDBOX:
            return listens(self.layout.ports[service.product])
        return answers(self.layout.url(service.product) + "/readyz")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError, ValueError):
        return False


def tail(layout: Layout, name: str, lines: int = 12) -> str:
    try:
        text = (layout.logs / f"{name}.log").read_text(errors="replace")
    except OSError:
        return "(no log)"
    return "\n".join("  " + line[:400] for line in text.splitlines()[-lines:]) or "  (nothing)"
