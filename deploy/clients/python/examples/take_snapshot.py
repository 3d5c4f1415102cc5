"""Prints the books of an insurer at one moment, and the token to follow from: python3 take_snapshot.py"""

import json

from connect import settlements

with settlements() as service:
    balances, payments, end = service.snapshot()
accounts = {balance.account: balance.cents for balance in balances}
open_payments = {payment.payment_reference: payment.cents for payment in payments}
at = {"position": end.position, "sum_cents": end.sum_cents, "token": end.token}
print(json.dumps({**at, "balances": accounts, "payments": open_payments}))
