"""More processes of content-center beside the running one, on a database and an exchange of their own: neither does the other's work."""

import contextlib
import os
import socket
import subprocess
import urllib.parse
import uuid
from collections.abc import Iterator

import psycopg
import requests

from support import Stack, eventually


class OwnContentCenter:
    def __init__(self, stack: Stack, directory):
        self.stack, self.name = stack, f"content_{uuid.uuid4().hex[:12]}"
        pid = stack.pid("content-center")
        lines = open(f"/proc/{pid}/environ", "rb").read().split(b"\0")
        environment = dict(line.decode().split("=", 1) for line in lines if b"=" in line)
        self.executable = os.readlink(f"/proc/{pid}/exe")
        self.environment = environment | {
            "DATABASE_URL": self.here(environment["DATABASE_URL"]), "SYSTEM_DATABASE_URL": self.here(environment["SYSTEM_DATABASE_URL"]),
            "AMQP_PREFIX": f"{self.name}.", "OBJECT_DIRECTORY": str(directory),
        }
        self.environment |= {"OBJECT_LISTENER_PORT": str(free_port())}
        self.environment |= {"OBJECT_PUBLIC_URL": f"http://127.0.0.1:{self.environment['OBJECT_LISTENER_PORT']}"}

    def here(self, url: str, user: str | None = None) -> str:
        parts = urllib.parse.urlsplit(url)
        if user is not None:
            password = urllib.parse.quote(self.stack.secrets[f"content.{user}.password"], safe="")
            parts = parts._replace(netloc=f"content_{user}:{password}@{parts.netloc.rsplit('@', 1)[1]}")
        return parts._replace(path=f"/{self.name}").geturl()

    def make_database(self) -> None:
        with self.stack.administrator("content") as connection:
            connection.execute(f"CREATE DATABASE {self.name} OWNER content_owner")
            connection.execute(f"REVOKE ALL ON DATABASE {self.name} FROM PUBLIC")
            connection.execute(f"GRANT CONNECT ON DATABASE {self.name} TO content_app, content_system")
        owner = self.environment | {"OWNER_DATABASE_URL": self.here(self.environment["DATABASE_URL"], "owner")}
        migrated = subprocess.run([self.executable, "migrate"], env=owner, capture_output=True, text=True, timeout=300, check=False)
        assert migrated.returncode == 0, migrated.stdout + migrated.stderr

    def drop_database(self) -> None:
        with self.stack.administrator("content") as connection:
            connection.execute(f"DROP DATABASE {self.name} WITH (FORCE)")

    def rows(self, statement: str, parameters: tuple = ()) -> list[tuple]:
        url = urllib.parse.urlsplit(self.stack.env["CONTENT_DATABASE_URL"])._replace(path=f"/{self.name}").geturl()
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(statement, parameters).fetchall()

    @contextlib.contextmanager
    def process(self, **settings: str) -> Iterator["Process"]:
        port = free_port()
        running = subprocess.Popen(
            [self.executable], env=self.environment | settings | {"PORT": str(port)}, stdout=subprocess.DEVNULL)
        process = Process(self.stack, port)
        try:
            eventually(process.is_ready, bool, "content-center of its own", 60)
            yield process
        finally:
            running.terminate()
            running.wait(60)


class Process:
    def __init__(self, stack: Stack, port: int):
        self.stack, self.port, self.tenant = stack, port, str(uuid.uuid4())

    def is_ready(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def __call__(self, method: str, path: str, **options) -> requests.Response:
        token = self.stack.context_token("gateway-bff", "content-center", self.tenant)
        return requests.request(
            method, f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {token}"}, **{"timeout": 60} | options)

    def upload(self, body: bytes, name: str, kind: str) -> str:
        announced = self("POST", "/v1/assets/presign", json={"filename": name, "contentType": kind})
        assert announced.status_code == 201, announced.text
        presigned = announced.json()
        assert requests.put(presigned["uploadUrl"], data=body, headers=presigned["headers"], timeout=60).status_code == 200
        answer = self("POST", f"/v1/assets/{presigned['assetId']}/complete")
        assert answer.status_code == 200, answer.text
        return presigned["assetId"]

    def order(self, **job) -> str:
        answer = self("POST", "/v1/media/jobs", json=job)
        assert answer.status_code == 202, answer.text
        return answer.json()["jobId"]

    def ended(self, job: str) -> dict:
        return eventually(
            lambda: self("GET", f"/v1/media/jobs/{job}").json(), lambda seen: seen["status"] not in ("queued", "running"),
            "the media job ends", 240)


@contextlib.contextmanager
def own_content_center(stack: Stack, directory) -> Iterator[OwnContentCenter]:
    own = OwnContentCenter(stack, directory)
    own.make_database()
    try:
        yield own
    finally:
        own.drop_database()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
