"""Declarations of one party over RabbitMQ, and their outcomes."""

import json

import pika
import pika.exceptions

DECLARATION_TYPE = "nl.samenloop.declaration.submitted.v1"

# Outcomes that the broker hands out before one is acknowledged.
PREFETCH = 64


class NotTaken(Exception):
    """The broker did not take a declaration: send it again, under the same message id."""


class Declarations:
    """A connection of one user of the broker. `party` is its party, where that has another name."""

    def __init__(self, url, party=None):
        parameters = pika.URLParameters(url)
        self._user = parameters.credentials.username
        self._queue = f"outcomes.{party or self._user}"
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()
        self._channel.basic_qos(prefetch_count=PREFETCH)
        self._channel.confirm_delivery()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._connection.close()

    def submit(self, declaration):
        """Sends a declaration, as an object of its JSON form; returns its message id once it is on disk.

        Sent again under the same message id it gets the same outcome again, and nothing is paid twice.
        """
        properties = pika.BasicProperties(
            message_id=declaration["message_id"],
            type=DECLARATION_TYPE,
            content_type="application/json",
            delivery_mode=pika.DeliveryMode.Persistent.value,
            user_id=self._user,
        )
        body = json.dumps(declaration).encode()
        try:
            self._channel.basic_publish("declarations", "", body, properties, mandatory=True)
        except (pika.exceptions.UnroutableError, pika.exceptions.NackError) as error:
            raise NotTaken(str(error)) from error
        return declaration["message_id"]

    def outcomes(self, wait_seconds=None):
        """Outcomes and refusals of the party in order, until none came for `wait_seconds`; without it for ever.

        Each is acknowledged when the next one is asked for: what is not dealt with by then comes again. An outcome
        with a version that was seen already changes nothing.
        """
        try:
            for method, _, body in self._channel.consume(self._queue, inactivity_timeout=wait_seconds):
                if method is None:
                    return
                yield json.loads(body)
                self._channel.basic_ack(method.delivery_tag)
        finally:
            if self._channel.is_open:
                self._channel.cancel()
