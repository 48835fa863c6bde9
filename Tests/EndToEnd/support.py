"""The running stack as the tests see it: members signed in at the gateway, hand-made context tokens, SQL, the sandbox's controls."""

import base64
import json
import os
import pathlib
import re
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar, TypeVar

import jwt
import psycopg
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from answers import Answers

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CALL_MAP = json.loads((REPOSITORY / "deploy/call-map.json").read_text())
URL_KEYS = {
    "gateway-bff": "GATEWAY_URL", "orchestration-service": "ORCHESTRATION_URL", "agent-center": "AGENT_CENTER_URL",
    "content-center": "CONTENT_CENTER_URL", "delivery-connector-douyin": "CONNECTOR_URL", "sandbox": "SANDBOX_URL",
}
SERVICES = tuple(CALL_MAP["services"])
SCOPES = (
    "titles:generate", "contents:read", "contents:write", "contents:approve", "contents:approve_own", "materials:read", "materials:write", "materials:approve", "tenant:manage", "stream:read", "runs:read",
    "runs:cancel", "prompts:read", "prompts:write", "copies:generate", "image_texts:generate", "video_scripts:generate", "vocabulary:read", "vocabulary:write",
)
DATABASES = ("gateway", "orchestration", "agent", "content", "connector")
POOL_NUMBERS = {"database_connection_limit": "limit", "database_waiting_callers": "waiting"}
POOL_SAMPLE = re.compile(r"^(database_connection_limit|database_waiting_callers|database_connections)\{(.*)\} (\S+)$", re.MULTILINE)
T = TypeVar("T")


@cache
def documented_answers() -> Answers:
    return Answers.of(REPOSITORY / "openapi")


@dataclass
class Stack:
    # pytest prints the arguments of a test that fails, and passwords belong in no log.
    env: dict[str, str] = field(repr=False)
    secrets: dict[str, str] = field(repr=False)
    directory: pathlib.Path

    @classmethod
    def from_environment(cls) -> "Stack":
        """`make test` says where its stack is; without that, the one of `make run` is meant."""
        path = pathlib.Path(os.environ.get("STACK_ENV_FILE", REPOSITORY / ".local/run.env"))
        if not path.exists():
            raise RuntimeError(f"{path} does not exist: run `make test`, or `make run` in another terminal")
        env = dict(line.split("=", 1) for line in path.read_text().splitlines() if line)
        return cls(env, json.loads((path.parent / "secrets.json").read_text()), path.parent)

    def url(self, service: str, path: str = "") -> str:
        return self.env[URL_KEYS[service]] + path

    def pid(self, name: str) -> int:
        return int((self.directory / "pids" / name).read_text())

    def administrator(self, database: str) -> psycopg.Connection:
        """Sees every row of every tenant."""
        return psycopg.connect(self.env[f"{database.upper()}_DATABASE_URL"], autocommit=True)

    def as_role(self, database: str, role: str) -> psycopg.Connection:
        """As the service itself connects: `app` under row-level security, `system` on the look-up tables."""
        return psycopg.connect(
            self.env[f"{database.upper()}_DATABASE_URL"], autocommit=True,
            user=f"{database}_{role}", password=self.secrets[f"{database}.{role}.password"])

    def rows(self, database: str, statement: str, parameters: tuple = ()) -> list[tuple]:
        with self.administrator(database) as connection:
            return connection.execute(statement, parameters).fetchall()

    def context_token(
        self, caller: str, callee: str, tenant: str, *, scopes: tuple[str, ...] = SCOPES, subject: str | None = None,
        lifetime: int = 60, issued: int = 0, signer: str | None = None, **claims,
    ) -> str:
        """A context token made by hand with `signer`'s key (the caller's own by default); `issued` is seconds from now."""
        now = int(time.time()) + issued
        payload = {
            "iss": caller, "aud": callee, "tenant": tenant, "sub": subject or str(uuid.uuid4()), "roles": ["tenant_admin"],
            "scopes": list(scopes), "iat": now, "exp": now + lifetime, "jti": uuid.uuid4().hex, **claims,
        }
        seed = base64.b64decode(self.secrets[f"{signer or caller}.context.seed"])
        key = Ed25519PrivateKey.from_private_bytes(seed)
        return jwt.encode(payload, key, algorithm="EdDSA", headers={"kid": signer or caller})

    def restart(self, service: str) -> None:
        """Ends the service as hard as possible; the supervisor starts it again."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: self.pid(service) != pid and self.is_ready(service), bool, f"{service} after a restart")

    def is_ready(self, service: str) -> bool:
        try:
            return requests.get(self.url(service, "/readyz"), timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def pools(self, service: str) -> dict[str, dict[str, int]]:
        """The service's database pools by name, as its metrics show them: `limit`, `in_use`, `idle`, `waiting`."""
        pools: dict[str, dict[str, int]] = {}
        for name, labels, value in POOL_SAMPLE.findall(requests.get(self.url(service, "/metrics"), timeout=5).text):
            pool, *state = (text.split('"')[1] for text in labels.split(","))
            pools.setdefault(pool, {})[state[0] if state else POOL_NUMBERS[name]] = int(float(value))
        return pools

    def trace_id(self, content_id: str) -> str:
        """Of the request that made the draft, from the event that it emitted."""
        rows = eventually(
            lambda: self.rows("gateway", "SELECT data FROM stream_events WHERE data LIKE %s", (f"%{content_id}%",)), bool,
            "the draft's event")
        return json.loads(rows[0][0])["traceparent"].split("-")[1]

    def spans(self, trace_id: str) -> list[dict]:
        """What the stub collector of `make test` was sent about a trace."""
        lines = (self.directory / "spans.jsonl").read_text(encoding="utf-8").splitlines()
        return [span for span in map(json.loads, lines) if span["traceId"] == trace_id]

    def inner(self, caller: str, callee: str, method: str, path: str, tenant: str, **options) -> requests.Response:
        """An internal call as `caller` would make it."""
        headers = options.pop("headers", {})
        token = options.pop("token", None) or self.context_token(caller, callee, tenant)
        answer = requests.request(
            method, self.url(callee, path), headers={"Authorization": f"Bearer {token}", **headers}, timeout=40, **options)
        documented_answers().check(callee, method, path, answer)
        return answer


@dataclass
class Member:
    """Somebody signed in."""

    #: Seconds. The servers close a connection that nothing comes over for 60 s, and a request may cross with that.
    KEPT_FOR: ClassVar[float] = 30

    stack: Stack
    email: str
    password: str = field(repr=False)
    session: requests.Session = field(default_factory=requests.Session, repr=False)
    _login: dict = field(default_factory=dict, repr=False)
    _renew_at: float = 0
    _used_at: float = 0

    def sign_in(self) -> "Member":
        answer = requests.post(
            self.stack.url("gateway-bff", "/api/auth/login"), json={"email": self.email, "password": self.password}, timeout=20)
        assert answer.status_code == 200, answer.text
        self._login = answer.json()
        self._renew_at = time.monotonic() + self._login["expiresIn"] / 2
        self.session.headers["Authorization"] = f"Bearer {self._login['accessToken']}"
        return self

    @property
    def login(self) -> dict:
        """What signing in answered, with a token that holds for some minutes yet: on a slow machine a run outlives several."""
        if time.monotonic() > self._renew_at:
            self.sign_in()
        return self._login

    @property
    def tenant(self) -> str:
        return self._login["tenantId"]

    def request(self, method: str, path: str, **options) -> requests.Response:
        self.session.headers["Authorization"] = f"Bearer {self.login['accessToken']}"
        if time.monotonic() > self._used_at + self.KEPT_FOR:
            self.session.close()
        self._used_at = time.monotonic()
        answer = self.session.request(method, self.stack.url("gateway-bff", path), timeout=options.pop("timeout", 40), **options)
        documented_answers().check("gateway-bff", method, path, answer)
        return answer

    def titles(self, topic: str = "夏季通勤防晒", key: str | None = None, **fields) -> requests.Response:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.request("POST", "/api/titles", json={"topic": topic, **fields}, headers=headers)

    def draft(self, **fields) -> dict:
        answer = self.titles(**fields)
        assert answer.status_code == 201, answer.text
        return answer.json()


@dataclass
class StreamEvent:
    id: int
    type: str
    data: dict


def stream_events(member: Member, last_event_id: int | str | None = None, seconds: float = 20) -> Iterator[StreamEvent]:
    """Events of `GET /api/stream` until nobody reads on; none for `seconds` is a failure, whatever heartbeats come."""
    headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
    with member.request("GET", "/api/stream", headers=headers, stream=True, timeout=(5, seconds)) as answer:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        end = time.monotonic() + seconds
        for raw in answer.iter_lines(chunk_size=1):
            line = raw.decode()
            if line.startswith(":"):
                assert time.monotonic() < end, f"no event in {seconds} s"
                continue
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            elif fields:
                yield StreamEvent(int(fields["id"]), fields["event"], json.loads(fields["data"]))
                fields, end = {}, time.monotonic() + seconds
    raise AssertionError("the stream ended")


def eventually(look: Callable[[], T], wanted: Callable[[T], bool], what: str, seconds: float = 20) -> T:
    """Looks until it is as wanted; fails with what it saw last."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if wanted(seen):
            return seen
        assert time.monotonic() < end, f"{what}: still {seen!r} after {seconds} s"
        time.sleep(0.1)


def assert_problem(answer: requests.Response, status: int, code: str | None = None, pointers: set[str] | None = None) -> dict:
    """The answer is this problem+json."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:500]}"
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert {"type", "title", "code", "retryable"} <= problem.keys()
    if code is not None:
        assert problem["code"] == code
    if pointers is not None:
        assert {error["pointer"] for error in problem.get("errors", [])} == pointers
    return problem
