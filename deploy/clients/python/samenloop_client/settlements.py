"""Settlements of one insurer: its stream, which is resumed whenever it is cut, and its payments."""

import random
import time

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from samenloop.settlement.v1 import money_pb2, settlement_pb2, settlement_pb2_grpc

# What may go by itself: the call is made again.
_PASSING = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
)

# Bytes of one message either way.
MESSAGE_BYTES_MAX = 8 * 1024 * 1024

# Seconds between attempts: from the first, doubled, up to the second; each drawn at random below.
PAUSE_SECONDS = (0.1, 5.0)

# Attempts of a call that answers once; a stream is resumed for as long as it is read.
ATTEMPTS_MAX = 5

PAGE_SIZE = 500


class Refused(Exception):
    """The service refused a call: `reason` is for programs, and `metadata` says more by key."""

    def __init__(self, error):
        self.code = error.code()
        self.reason, self.metadata = _error_info(error)
        super().__init__(f"{self.code.name} {self.reason}: {error.details()}")


class StreamBroken(Exception):
    """The stream broke its promise: a position is missing, or a sum is wrong. Nothing of that response was given."""


def credentials(authorities, certificate, private_key):
    """Credentials of a client certificate, from three PEM files."""
    authorities, certificate, private_key = (_read(path) for path in (authorities, certificate, private_key))
    return grpc.ssl_channel_credentials(authorities, private_key, certificate)


class Settlements:
    """What one insurer may ask. Without credentials it connects in the clear, which the service takes on loopback."""

    def __init__(self, target, insurer, channel_credentials=None, timeout=30.0):
        options = [
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            # A connection that is gone without a word is noticed.
            ("grpc.keepalive_time_ms", 20_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.max_reconnect_backoff_ms", int(PAUSE_SECONDS[1] * 1000)),
        ]
        if channel_credentials is None:
            self._channel = grpc.insecure_channel(target, options)
        else:
            self._channel = grpc.secure_channel(target, channel_credentials, options)
        self._stub = settlement_pb2_grpc.SettlementStub(self._channel)
        self._insurer, self._timeout = insurer, timeout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._channel.close()

    def follow(self, subscription, token="", events_max=0):
        """Every event after `token`, once and in order, for ever; a stream that is cut is resumed after the last one.

        Keep the token of an event in the same step as its effect: whoever begins again with it gets the next event.
        Without a token it begins after what was acknowledged. Raises `Refused` with RESUME_TOKEN_EXPIRED where the
        events after the token are no longer kept: take a snapshot (`snapshot`), and follow from its token.
        """
        position, attempts = None, 0
        while True:
            request = settlement_pb2.SubscribeRequest(
                insurer_uzovi=self._insurer, subscription=subscription, resume_token=token, events_max=events_max
            )
            try:
                for response in self._stub.Subscribe(request):
                    attempts = 0
                    kind = response.WhichOneof("response")
                    if kind == "events":
                        _check(response.events, position)
                        for event in response.events.events:
                            position, token = event.position, event.token
                            yield event
                    elif kind == "progress":
                        token = response.progress.token
                    else:
                        # The service stops: another one takes over.
                        token = response.goaway.token
                        break
            except grpc.RpcError as error:
                if error.code() not in _PASSING:
                    raise Refused(error) from error
            time.sleep(_pause(attempts))
            attempts += 1

    def snapshot(self):
        """The books at one moment: balances by account, payments not yet made, and the end, which has the token to
        follow from. For whoever begins, or whose token has expired."""
        request = money_pb2.TakeSnapshotRequest(insurer_uzovi=self._insurer)
        parts = self._call(lambda *given, **limits: list(self._stub.TakeSnapshot(*given, **limits)), request)
        balances = [balance for part in parts for balance in part.balances]
        payments = [payment for part in parts for payment in part.payments]
        return balances, payments, parts[-1].end

    def acknowledge(self, subscription, token):
        """Keeps at the service how far `subscription` is, for when its own token is lost. Never goes back."""
        request = settlement_pb2.AcknowledgeRequest(
            insurer_uzovi=self._insurer, subscription=subscription, token=token
        )
        return self._call(self._stub.Acknowledge, request).position

    def payments(self, run=0):
        """Payments of a run, or of all."""
        token = ""
        while True:
            request = money_pb2.ListSettlementsRequest(
                insurer_uzovi=self._insurer, run=run, page_size=PAGE_SIZE, page_token=token
            )
            page = self._call(self._stub.ListSettlements, request)
            yield from page.settlements
            token = page.next_page_token
            if not token:
                return

    def confirm_payment(self, request_id, payment_reference, cents, paid_on):
        """Tells that a payment was made. The same request id with the same content has its effect once."""
        request = money_pb2.ConfirmPaymentRequest(
            insurer_uzovi=self._insurer,
            request_id=str(request_id),
            payment_reference=payment_reference,
            cents=cents,
            paid_on=str(paid_on),
        )
        return self._call(self._stub.ConfirmPayment, request)

    def _call(self, method, request):
        """Every call may be made again: it has its effect once."""
        for attempt in range(ATTEMPTS_MAX):
            try:
                return method(request, timeout=self._timeout)
            except grpc.RpcError as error:
                if error.code() not in _PASSING or attempt + 1 == ATTEMPTS_MAX:
                    raise Refused(error) from error
            time.sleep(_pause(attempt))
        raise AssertionError("the last attempt returns or raises")


def _check(events, position):
    for event in events.events:
        if position is not None and event.position != position + 1:
            raise StreamBroken(f"position {event.position} came after {position}")
        position = event.position
    if sum(event.cents for event in events.events) != events.sum_cents:
        raise StreamBroken(f"events up to {position} do not add up to {events.sum_cents} cents")


def _pause(attempts):
    first, most = PAUSE_SECONDS
    return random.uniform(0, min(most, first * 2 ** min(attempts, 10)))


def _error_info(error):
    # An error that the network made has no details.
    status = rpc_status.from_call(error) if hasattr(error, "trailing_metadata") else None
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason, dict(info.metadata)
    return "", {}


def _read(path):
    with open(path, "rb") as file:
        return file.read()
