"""What waits for another attempt returns from its rung by the broker's own hand, which tries again where the way was closed: where the
broker was just started and the queue has no leader yet, above all (deploy/rabbitmq/advanced.config)."""

import uuid

import pika
import pika.exceptions

from support import eventually

# Of a rung, as Shared/Messaging declares it.
RUNG = {
    "x-queue-type": "quorum", "x-dead-letter-exchange": "", "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish",
    "x-message-ttl": 1,
}


def test_a_message_whose_way_back_was_closed_comes_soon(stack):
    name = f"test.returning-{uuid.uuid4()}"
    rung = f"{name}.retry.1ms"
    connection = pika.BlockingConnection(pika.URLParameters(stack.env["AMQP_URL"]))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare(rung, durable=True, arguments={**RUNG, "x-dead-letter-routing-key": name})
    try:
        channel.basic_publish("", rung, b"again")
        eventually(
            lambda: channel.queue_declare(rung, passive=True).method.message_count, lambda count: count == 0, "the message has left its rung")
        channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
        # By itself the broker would try again after three minutes.
        body = eventually(lambda: channel.basic_get(name, auto_ack=True)[2], bool, "the message is back", seconds=60)
        assert body == b"again"
    finally:
        for queue in (rung, name):
            connection.channel().queue_delete(queue)
        connection.close()
