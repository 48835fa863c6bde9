#!/usr/bin/env python3
"""Kill storm: title requests flow while every process of the stack dies by kill -9 at random and is started again.

    kill_storm.py [--kills 20] [--seed 7] [--clients 6]        (or KILLS, SEED, CLIENTS in the environment)

At the end SQL proves, not HTTP: one draft, one ledger row and one activity row per operation, nothing else; repeating every key
creates nothing; every 201 that a client got has its draft; no request outlived its deadline; no connection, to the database or the
broker, was leaked.
"""

import argparse
import os
import random
import signal
import socket
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pika
import requests

from support import DATABASES, SERVICES, Member, Stack

VICTIMS = (*SERVICES, "postgres", "rabbitmq")
# The gateway's deadline for the route is 30 s; a little for the wire and for a machine that is busy dying.
DEADLINE_SECONDS = 33
# Access tokens live for 15 minutes; a long storm outlasts them.
TOKEN_SECONDS = 600
# A broker that was killed within a second of its queues' birth may stay without a leader (RabbitMQ 3.10): let it stand a while.
SETTLE_SECONDS = {"rabbitmq": 3.0}
# A claim's lease is the route's deadline and five seconds; with some more for a loaded machine.
LEASE_SECONDS = 60
ACTIVITY = "orchestration.content-activity"


@dataclass
class Order:
    """One idempotency key and everything that was answered to it."""

    key: str
    topic: str
    statuses: list[str] = field(default_factory=list)
    content_ids: set[str] = field(default_factory=set)
    slowest: float = 0

    @property
    def settled(self) -> bool:
        return bool(self.content_ids)


class Storm:
    def __init__(self, stack: Stack, kills: int, seed: int, clients: int):
        self.stack, self.kills, self.seed, self.clients = stack, kills, seed, clients
        self.random = random.Random(seed)
        self.member = Member(stack, stack.env["DEMO_EMAIL"], stack.env["DEMO_PASSWORD"]).sign_in()
        self.signed_in = time.monotonic()
        self.orders: list[Order] = []
        self.killed: Counter[str] = Counter()
        #: Connections to the broker by service, before the first kill.
        self.links: dict[str, int] = {}
        self.over = threading.Event()
        self.lock = threading.Lock()

    # Clients

    def send(self, order: Order) -> requests.Response | None:
        started = time.monotonic()
        if started - self.signed_in > TOKEN_SECONDS:
            with self.lock:
                self.member.sign_in()
                self.signed_in = time.monotonic()
            started = self.signed_in
        try:
            answer = requests.post(
                self.stack.url("gateway-bff", "/api/titles"), json={"topic": order.topic, "count": 3}, timeout=(5, 60),
                headers={"Authorization": self.member.session.headers["Authorization"], "Idempotency-Key": order.key})
        except requests.RequestException as error:
            order.statuses.append(type(error).__name__)
            answer = None
        else:
            order.statuses.append(str(answer.status_code))
            if answer.status_code == 201:
                order.content_ids.add(answer.json()["contentId"])
        order.slowest = max(order.slowest, time.monotonic() - started)
        return answer

    def client(self, number: int) -> None:
        count = 0
        while not self.over.is_set():
            count += 1
            order = Order(f"storm-{self.seed}-{uuid.uuid4()}", f"风暴里的第{number}-{count}个选题")
            with self.lock:
                self.orders.append(order)
            for _ in range(8):
                if self.over.is_set() or order.settled:
                    break
                self.send(order)
                if not order.settled:
                    self.over.wait(0.3)

    # Killing

    def kill_everything(self) -> None:
        schedule = [victim for victim in VICTIMS for _ in range(self.kills)]
        self.random.shuffle(schedule)
        for victim in schedule:
            self.kill(victim)
            time.sleep(self.random.uniform(0.1, 1.2))

    def kill(self, victim: str) -> None:
        pid = self.wait_alive(victim)
        time.sleep(SETTLE_SECONDS.get(victim, 0))
        os.kill(pid, signal.SIGKILL)
        self.killed[victim] += 1
        end = time.monotonic() + 30
        while _alive(pid):
            assert time.monotonic() < end, f"{victim} ({pid}) outlived kill -9"
            time.sleep(0.01)

    def wait_alive(self, victim: str) -> int:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                pid = self.stack.pid(victim)
            except (OSError, ValueError):
                pid = 0
            if pid and _alive(pid) and self.ready(victim):
                return pid
            time.sleep(0.1)
        raise AssertionError(f"{victim} did not come back within 120 s")

    def ready(self, victim: str) -> bool:
        """Far enough up to be worth killing again: a service is ready, PostgreSQL and RabbitMQ take connections."""
        if victim in SERVICES:
            return self.stack.is_ready(victim)
        return accepts(self.stack.env["AMQP_URL" if victim == "rabbitmq" else "GATEWAY_DATABASE_URL"])

    # Proof

    def run(self) -> None:
        before = {table: self.total(*table) for table in COUNTED}
        self.links = {service: self.broker_links(service) for service in SERVICES}
        assert sum(self.links.values()) > 0, "nobody speaks to the broker: no leak would be seen"
        started = time.monotonic()
        threads = [threading.Thread(target=self.client, args=(number,), daemon=True) for number in range(self.clients)]
        for thread in threads:
            thread.start()
        try:
            self.kill_everything()
        finally:
            self.over.set()
            for thread in threads:
                thread.join(70)
        for victim in VICTIMS:
            self.wait_alive(victim)
        print(f"storm: {sum(self.killed.values())} kills in {time.monotonic() - started:.0f} s: "
              + ", ".join(f"{victim} {self.killed[victim]}" for victim in VICTIMS), flush=True)
        self.settle()
        self.repeat_every_key()
        self.prove(before)

    def settle(self) -> None:
        end = time.monotonic() + 120
        while unsettled := [order for order in self.orders if not order.settled]:
            assert time.monotonic() < end, f"never settled: {[(order.key, order.statuses[-5:]) for order in unsettled[:5]]}"
            for order in unsettled:
                self.send(order)
            time.sleep(0.2)

    def repeat_every_key(self) -> None:
        """The same answer again. Where the storm broke in between answer and record, the key is in flight until its record follows or
        its lease ends; then the first repeat finds what the services did under the operation, and the second one is the record's."""
        for order in self.orders:
            for _ in range(2):
                answer = self.send_until_settled(order)
                assert answer.status_code == 201, (order.key, order.statuses)
            assert answer.headers.get("Idempotent-Replayed") == "true", order.key

    def send_until_settled(self, order: Order) -> requests.Response:
        end = time.monotonic() + LEASE_SECONDS
        while True:
            answer = self.send(order)
            if answer is not None and answer.status_code != 409:
                return answer
            assert time.monotonic() < end, f"in flight for longer than a lease: {order.key} {order.statuses}"
            time.sleep(float(answer.headers["Retry-After"]) if answer is not None else 0.3)

    def total(self, database: str, table: str) -> int:
        return self.stack.rows(database, f"SELECT count(*) FROM {table}")[0][0]

    def prove(self, before: dict) -> None:
        keys = [order.key for order in self.orders]
        operations = dict(self.stack.rows("gateway", "SELECT key, operation_id FROM idempotency_keys WHERE key = ANY (%s)", (keys,)))
        assert len(operations) == len(set(operations.values())) == len(keys), "one operation per key"
        ids = list(operations.values())
        drafts = dict(self.stack.rows(
            "content", "SELECT operation_id, content_id FROM content_versions WHERE operation_id = ANY (%s)", (ids,)))
        ledger = [row[0] for row in self.stack.rows(
            "agent", "SELECT operation_id FROM ai_usage_ledger WHERE operation_id = ANY (%s)", (ids,))]
        contents = list(drafts.values())
        activity = self.wait_for_activity(contents)
        counts = {"operations": len(ids), "drafts": len(drafts), "ledger rows": len(ledger), "activity rows": len(activity)}
        print("proof: " + ", ".join(f"{count} {name}" for name, count in counts.items()), flush=True)
        assert set(drafts) == set(ids) and len(set(contents)) == len(ids), "one draft per operation"
        assert sorted(ledger) == sorted(ids), "one ledger row per operation"
        assert sorted(activity) == sorted(contents), f"one activity row per draft; waiting at the broker: {self.waiting()}"
        # By totals too: nothing came into being beside the operations.
        for table in COUNTED:
            assert self.total(*table) - before[table] == len(ids), f"{table} grew by other than {len(ids)}"
        for order in self.orders:
            assert order.content_ids == {str(drafts[operations[order.key]])}, f"{order.key}: {order.content_ids}"
        slowest = max(order.slowest for order in self.orders)
        statuses = Counter(status for order in self.orders for status in order.statuses)
        print(f"answers: {dict(statuses)}; slowest {slowest:.1f} s", flush=True)
        assert slowest <= DEADLINE_SECONDS, f"a request took {slowest:.1f} s"
        unexpected = set(statuses) & {"500", "400", "401", "403", "404", "422"}
        assert not unexpected, f"answers that a storm does not explain: {unexpected}"
        self.prove_no_leaks()

    def wait_for_activity(self, contents: list) -> list:
        end = time.monotonic() + 90
        while True:
            rows = [row[0] for row in self.stack.rows(
                "orchestration", "SELECT content_id FROM content_activity WHERE content_id = ANY (%s)", (contents,))]
            if len(rows) >= len(contents) or time.monotonic() > end:
                return rows
            time.sleep(0.3)

    def waiting(self) -> dict[str, int]:
        """How many messages the broker holds for the activity's consumer, and where."""
        connection = pika.BlockingConnection(pika.URLParameters(self.stack.env["AMQP_URL"]))
        queues = [ACTIVITY, f"{ACTIVITY}.parking", *(f"{ACTIVITY}.retry.{delay}ms" for delay in (1_000, 5_000, 30_000, 120_000, 600_000))]
        counts = {queue: connection.channel().queue_declare(queue, passive=True).method.message_count for queue in queues}
        connection.close()
        return {queue: count for queue, count in counts.items() if count}

    def prove_no_leaks(self) -> None:
        """After the storm every pool is within its size with nothing leased, the server knows of the same connections, and no transaction
        stands open with nobody in it."""
        end = time.monotonic() + 60
        while bad := self.leaks() + self.leaked_links():
            assert time.monotonic() < end, f"connections: {bad}"
            time.sleep(0.3)
        for service in SERVICES:
            descriptors = len(os.listdir(f"/proc/{self.stack.pid(service)}/fd"))
            assert descriptors < 300, f"{service} holds {descriptors} descriptors"

    def leaks(self) -> list[str]:
        """What is not so at the moment: a pool's own work comes and goes, so a leak is what stays."""
        pools = {name: pool for service in SERVICES for name, pool in self.stack.pools(service).items()}
        served = {
            name: (total, forgotten) for name, total, forgotten in self.stack.rows("gateway", """
                SELECT application_name, count(*), count(*) FILTER (WHERE state LIKE 'idle in transaction%%')
                FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename LIKE ANY (%s) GROUP BY 1""",
                ([f"{database}\\_%" for database in DATABASES],))
        }
        assert len(pools) == 2 * len(SERVICES), f"two pools each: {sorted(pools)}"
        return sorted(
            [f"{name} is nobody's pool" for name in served.keys() - pools.keys()]
            + [f"{name} has {pool}, the server {served.get(name, (0, 0))} (all, idle in transaction)" for name, pool in pools.items()
               if not is_at_rest(pool, *served.get(name, (0, 0)))])

    def leaked_links(self) -> list[str]:
        """Each service has as many connections to the broker as before the storm."""
        return [
            f"{service} has {now} connections to the broker, and had {self.links[service]}"
            for service in SERVICES if (now := self.broker_links(service)) != self.links[service]]

    def broker_links(self, service: str) -> int:
        """By the kernel's word: what the process holds of what leads to the broker's port."""
        port = urlsplit(self.stack.env["AMQP_URL"]).port
        pid, held = self.stack.pid(service), set()
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                held.add(os.readlink(descriptor))
            except OSError:
                continue  # Closed meanwhile.
        established = "01"
        lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
        return sum(
            int(remote.split(":")[1], 16) == port and state == established and f"socket:[{fields[5]}]" in held
            for _, _, remote, state, *fields in lines)


def is_at_rest(pool: dict[str, int], served: int, forgotten: int) -> bool:
    return pool["in_use"] == 0 and pool["waiting"] == 0 and forgotten == 0 and served == pool["idle"] <= pool["limit"]


# Of the flow: contents of who searches by meaning are taken in meanwhile, and that is paid for too; and what others set aside and left
# behind minutes ago is swept.
COUNTED = (("content", "contents"), ("agent", "ai_usage_ledger WHERE flow = 'TitleGeneration'"), ("orchestration", "content_activity"))


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def accepts(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((parts.hostname, parts.port)) == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=int(os.environ.get("KILLS", "20")), help="of each process")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", str(random.SystemRandom().randrange(10**6)))))
    parser.add_argument("--clients", type=int, default=int(os.environ.get("CLIENTS", "6")))
    arguments = parser.parse_args()
    print(f"kill storm: {arguments.kills} kills of each of {len(VICTIMS)} processes, seed {arguments.seed}", flush=True)
    Storm(Stack.from_environment(), arguments.kills, arguments.seed, arguments.clients).run()
    print("kill storm: passed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
