"""Tells that the payments ordered in a run were made: python3 confirm_payments.py RUN DAY

The id of each request follows from the payment, so the program may be run again: each is confirmed once.
"""

import os
import sys
import uuid

from connect import settlements
from samenloop.settlement.v1 import money_pb2

run, paid_on = int(sys.argv[1]), sys.argv[2]
ids = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:example:{os.environ['INSURER']}")
with settlements() as service:
    for payment in list(service.payments(run)):
        if payment.state in (money_pb2.PAYMENT_STATE_ORDERED, money_pb2.PAYMENT_STATE_PAID):
            request_id = uuid.uuid5(ids, payment.payment_reference)
            entry = service.confirm_payment(request_id, payment.payment_reference, payment.cents, paid_on)
            print(payment.payment_reference, payment.cents, entry.number)
