"""A quorum queue that is younger than about a second when its broker is killed has no leader afterwards (RabbitMQ 3.10, design §9)."""

import os
import signal

import pika
import pika.exceptions

from support import eventually

QUEUE = "orchestration.content-activity"


def exists(connection: pika.BlockingConnection, queue: str) -> bool:
    channel = connection.channel()
    try:
        channel.queue_declare(queue, passive=True)
    except pika.exceptions.ChannelClosedByBroker:
        return False
    channel.close()
    return True


def activities(stack, draft: dict) -> int:
    return stack.rows("orchestration", "SELECT count(*) FROM content_activity WHERE content_id = %s", (draft["contentId"],))[0][0]


def kill_broker_with_young_queue(stack) -> None:
    broker = stack.pid("rabbitmq")
    connection = pika.BlockingConnection(pika.URLParameters(stack.env["AMQP_URL"]))
    connection.channel().queue_delete(QUEUE)
    # Its consumer declares it again at once.
    eventually(lambda: exists(connection, QUEUE), bool, "the queue is there again")
    os.kill(broker, signal.SIGKILL)
    eventually(lambda: stack.pid("rabbitmq") != broker, bool, "the broker is started again")


def test_a_queue_without_a_leader_is_made_anew(stack, member):
    log = stack.directory / "logs/orchestration-service.log"
    # Seldom, on a machine that is busy, the queue is old enough when the broker dies: then nothing was tried.
    for _ in range(3):
        known = log.stat().st_size
        kill_broker_with_young_queue(stack)
        # Written while there is no broker: its event waits in the outbox.
        draft = member.draft()
        assert eventually(lambda: activities(stack, draft), bool, "the draft's event is heard", seconds=90) == 1
        if "Made a queue anew that had lost its leader" in log.read_bytes()[known:].decode():
            return
    raise AssertionError("the queue kept its leader three times")
