"""A broker behind TLS, as managed ones are: `amqps`, the certificate checked."""

import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
from urllib.parse import urlsplit

import pytest
import requests

from support import eventually

SERVICE = "orchestration-service"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[pathlib.Path, pathlib.Path]:
    """Of `localhost`, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


class EncryptedFront:
    """Speaks TLS to clients and passes on what they say in the clear."""

    def __init__(self, broker: str, certificate: pathlib.Path, key: pathlib.Path):
        self.target = (urlsplit(broker).hostname, urlsplit(broker).port or 5672)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, plain: socket.socket) -> None:
        try:
            client = self.context.wrap_socket(plain, server_side=True)
        except (ssl.SSLError, OSError):
            return
        broker = socket.create_connection(self.target)
        # Both at once: the broker speaks when it likes.
        threading.Thread(target=pump, args=(broker, client), daemon=True).start()
        pump(client, broker)

    def close(self) -> None:
        self.listener.close()


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Replica:
    """A second process of a service that runs, with other settings."""

    def __init__(self, stack, folder: pathlib.Path, **settings: str):
        pid = stack.pid(SERVICE)
        running = dict(
            entry.split("=", 1) for entry in pathlib.Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in entry)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.executable, self.environment = os.readlink(f"/proc/{pid}/exe"), running | {"PORT": str(self.port)} | settings
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen([self.executable], env=self.environment, stdout=self.log, stderr=self.log)

    def broker(self) -> str | None:
        try:
            body = requests.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).json()
        except requests.RequestException:
            return None
        return next(check["status"] for check in body["checks"] if check["name"] == "broker")

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.log.close()


def test_a_broker_behind_tls_is_spoken_to(stack, certificate, tmp_path):
    front = EncryptedFront(stack.env["AMQP_URL"], *certificate)
    user = urlsplit(stack.env["AMQP_URL"])
    url = f"amqps://{user.username}:{user.password}@localhost:{front.port}{user.path}"
    replica = Replica(stack, tmp_path, AMQP_URL=url, AMQP_CA_FILE=str(certificate[0]))
    try:
        eventually(replica.broker, lambda state: state == "ok", "the broker behind TLS")
        # What operators look at parked messages with comes in by the same door.
        listed = subprocess.run(
            [replica.executable, "parking", "list", "orchestration.content-activity"], env=replica.environment, capture_output=True,
            timeout=60, check=False)
        assert listed.returncode == 0, listed.stderr.decode()
    finally:
        replica.end()
        front.close()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_certificate_that_is_not_to_be_trusted_ends_it(stack, certificate, tmp_path, name):
    """Signed by nobody known; or known, and of another name."""
    front = EncryptedFront(stack.env["AMQP_URL"], *certificate)
    user = urlsplit(stack.env["AMQP_URL"])
    settings = {"AMQP_URL": f"amqps://{user.username}:{user.password}@{name}:{front.port}{user.path}"}
    if name != "localhost":
        settings["AMQP_CA_FILE"] = str(certificate[0])
    replica = Replica(stack, tmp_path, **settings)
    try:
        eventually((tmp_path / "log").read_text, lambda text: "Lost the broker" in text, "a refusal")
        assert eventually(replica.broker, bool, "what it says of itself") == "unavailable"
    finally:
        replica.end()
        front.close()
