#!/usr/bin/env python3
"""Drafts, as `make bench-contents` measures them; prints figures and asserts none.

(a) drafts/s through content-center (content, version, search change, outbox row: one transaction) against pgbench inserting single rows
    with the same text into a table of its own, on the same server, runs interleaved
(b) the public path: drafts/s of the title flow, from the gateway on, with a model that answers at once

Release builds; authentication and row-level security are on. SECONDS_EACH=10 ROUNDS=3 WRITERS=16 change the length.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time
import uuid

from bench import DURATION, ROUNDS, Bench
from common import EXECUTABLES, HERE, cpu_seconds, release_stack, run_wrk
from parts.layout import StackError
from parts.processes import say

WRITERS = int(os.environ.get("WRITERS", "16"))
CANDIDATES = ["猫砂盆这样选，家里再没味道", "3 个细节看懂猫砂盆", "养猫三年，我只留下这一个猫砂盆", "别再买错猫砂盆了", "猫砂盆怎么选？看这一条就够了"]
DRAFT = {
    "step": "title_set", "kind": "title_set", "title": "猫砂盆",
    "body": {"topic": "猫砂盆", "platform": "douyin", "candidates": [
        {"title": title, "score": 80, "reasons": ["长度合适", "含数字"], "formula": "benefit"} for title in CANDIDATES]},
    "source": {"kind": "model", "name": "bench", "promptVersion": "title.douyin@1"},
}
TABLE = "CREATE TABLE bench_drafts (id uuid PRIMARY KEY, title text NOT NULL, body jsonb NOT NULL, made timestamptz NOT NULL DEFAULT now())"
INSERT = "INSERT INTO bench_drafts (id, title, body) VALUES (gen_random_uuid(), '{title}', '{body}');\n"


class ContentsBench(Bench):
    def context_token(self, tenant: str) -> str:
        """As orchestration-service would sign it; good for a minute."""
        now, secrets = int(time.time()), json.loads((self.stack.layout.directory / "secrets.json").read_text())
        claims = {"iss": "orchestration-service", "aud": "content-center", "tenant": tenant, "sub": str(uuid.uuid4()), "roles": ["tenant_admin"],
                  "scopes": ["contents:read", "contents:write"], "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex}
        head = {"alg": "EdDSA", "typ": "JWT", "kid": "orchestration-service"}
        text = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
        return f"{text}.{encoded(sign(base64.b64decode(secrets['orchestration-service.context.seed']), text.encode()))}"

    def drafts(self) -> None:
        tenant = str(uuid.uuid4())
        database = self.stack.postgres.url("content")
        query(database, TABLE)
        script = self.directory / "insert.sql"
        script.write_text(INSERT.format(title=DRAFT["title"], body=json.dumps(DRAFT["body"], ensure_ascii=False)))
        found: dict[str, list[float]] = {"pgbench": [], "drafts": []}
        # With all that they do meanwhile: the search index, the relay of events, whoever hears of these.
        names = {"content-center": "content-center", "postgres": "PostgreSQL", "rabbitmq": "RabbitMQ"}
        watched = {name: self.stack.supervisor.pid(process) for process, name in names.items()}
        spent, requests, latencies = dict.fromkeys(watched, 0.0), 0, []
        self.write(tenant, 2)
        pgbench(database, script, 2)
        # As autovacuum does within a minute; until then plans are those of empty tables.
        query(database, "ANALYZE")
        for _ in range(ROUNDS):
            found["pgbench"].append(pgbench(database, script, DURATION))
            before = {name: family_cpu_seconds(pid) for name, pid in watched.items()}
            report = self.write(tenant, DURATION)
            for name, pid in watched.items():
                spent[name] += family_cpu_seconds(pid) - before[name]
            requests += report["requests"]
            found["drafts"].append(report["rate"])
            latencies.append(report["p99"])
        middle = {name: statistics.median(rates) for name, rates in found.items()}
        say(f"(a) writes, {WRITERS} at once, {ROUNDS} x {DURATION} s, interleaved")
        for name, rates in found.items():
            say(f"      {name:<8} {middle[name]:>9,.0f} /s (runs: {', '.join(f'{rate:,.0f}' for rate in rates)})")
        say(f"      ratio    {middle['drafts'] / middle['pgbench']:.2f} of pgbench's single rows (aim: at least 0.6); p99 {', '.join(latencies)}")
        say(f"      CPU      {', '.join(f'{1e6 * seconds / max(requests, 1):.0f} µs in {name}' for name, seconds in spent.items())} per draft")

    def write(self, tenant: str, seconds: int) -> dict:
        run = f"{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:4]}"
        return run_wrk([
            "-c", str(WRITERS), "-d", f"{seconds}s", "-s", str(HERE / "drafts.lua"), self.stack.layout.url("content-center"), "--",
            self.context_token(tenant), run, json.dumps(DRAFT, ensure_ascii=False)])


def family_cpu_seconds(pid: int) -> float:
    """Of a process and of those of its descendants that are there."""
    parents: dict[int, list[int]] = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents.setdefault(int(path.read_text().rsplit(")", 1)[1].split()[1]), []).append(int(path.parent.name))
    family, spent = [pid], 0.0
    for member in family:
        family += parents.get(member, [])
        with contextlib.suppress(OSError):
            spent += cpu_seconds(member)
    return spent


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(seed: bytes, text: bytes) -> bytes:
    """Ed25519, by openssl: nothing else here can."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        # PKCS #8 (RFC 8410) around the seed.
        key = base64.b64encode(bytes.fromhex("302e020100300506032b657004220420") + seed).decode()
        (folder / "key.pem").write_text(f"-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n")
        (folder / "text").write_bytes(text)
        command = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", folder / "key.pem", "-in", folder / "text"]
        return subprocess.run(command, capture_output=True, check=True).stdout


def tool(name: str) -> str:
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not found:
        raise StackError(f"{name} is not installed")
    return str(found[-1])


def query(database: str, statement: str) -> None:
    subprocess.run([tool("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, database], check=True)


def pgbench(database: str, script: pathlib.Path, seconds: int) -> float:
    output = subprocess.run(
        [tool("pgbench"), "-n", "-M", "prepared", "-c", str(WRITERS), "-j", "1", "-T", str(seconds), "-f", str(script), database],
        capture_output=True, text=True, check=True).stdout
    return float(re.search(r"tps = ([\d.]+)", output).group(1))


def main() -> None:
    with release_stack() as (stack, directory):
        bench = ContentsBench(stack, directory)
        stack.start_services(EXECUTABLES, bench.settings(trivial=False))
        bench.drafts()
        bench.flow()


if __name__ == "__main__":
    main()
