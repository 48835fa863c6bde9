"""Passwords and signing keys of a stack: made once, kept in `secrets.json` (mode 600), since the databases remember them."""

import base64
import json
import os
import secrets
import subprocess

from .layout import SERVICES, Layout, StackError
from .processes import write_atomically

ROLES = ("owner", "app", "system")

# PKCS#8 (RFC 8410) of an Ed25519 private key is this prefix and the 32-byte seed.
_PKCS8_PREFIX = bytes.fromhex("302e020100300506032b657004220420")


def public_key(seed: bytes) -> bytes:
    """The 32-byte public key, computed by the openssl command: Python's standard library has no Ed25519."""
    result = subprocess.run(
        ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"],
        input=_PKCS8_PREFIX + seed, capture_output=True, check=False)
    if result.returncode != 0 or len(result.stdout) < 32:
        raise StackError(f"openssl cannot compute a public key: {result.stderr.decode(errors='replace')}")
    return result.stdout[-32:]


class Secrets:
    def __init__(self, layout: Layout):
        self.layout = layout
        try:
            self.values: dict[str, str] = json.loads(layout.secrets.read_text())
        except FileNotFoundError:
            self.values = {}
        before = dict(self.values)
        self.are_new = not before
        self._ensure("postgres.password", password)
        self._ensure("rabbitmq.password", password)
        for service in SERVICES:
            for role in ROLES:
                self._ensure(f"{service.database}.{role}.password", password)
            self._ensure(f"{service.product}.context.seed", seed)
        self._ensure("gateway-bff.access-token.seed", seed)
        self._ensure("gateway-bff.administrator.password", password)
        self._ensure("agent-center.data.key", seed)
        if self.values != before:
            write_atomically(layout.secrets, json.dumps(self.values, indent=1) + "\n", 0o600)
        self._public = {
            service.product: base64.b64encode(public_key(base64.b64decode(self[f"{service.product}.context.seed"]))).decode()
            for service in SERVICES
        }

    def _ensure(self, key: str, make) -> None:
        if key not in self.values:
            self.values[key] = make()

    def __getitem__(self, key: str) -> str:
        return self.values[key]

    @property
    def context_public_keys(self) -> str:
        return ",".join(f"{product}={key}" for product, key in self._public.items())


def password() -> str:
    return secrets.token_urlsafe(18)


def seed() -> str:
    return base64.b64encode(os.urandom(32)).decode()
