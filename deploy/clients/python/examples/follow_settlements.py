"""Keeps every event of an insurer's stream in a file, one JSON object a line: python3 follow_settlements.py FILE

The last whole line says where to go on, so the program may be ended at any moment and started again. With a number of
events as second argument it ends there.
"""

import json
import os
import sys

from connect import settlements

ACKNOWLEDGE_EVERY = 100


def last_token(path):
    """The token of the last whole line; a line that was cut off by a crash is taken away."""
    if not os.path.exists(path):
        return ""
    with open(path, "rb+") as file:
        lines = file.read().split(b"\n")
        file.truncate(sum(len(line) + 1 for line in lines[:-1]))
    return json.loads(lines[-2])["token"] if len(lines) > 1 else ""


path = sys.argv[1]
last = int(sys.argv[2]) if len(sys.argv) > 2 else None
token = last_token(path)
with settlements() as service, open(path, "a", encoding="utf-8") as kept:
    for event in service.follow("example-python", token):
        line = {"position": event.position, "cents": event.cents, "token": event.token}
        line["of"] = event.claim_id or f"entry {event.entry.number}"
        kept.write(json.dumps(line) + "\n")
        kept.flush()
        os.fsync(kept.fileno())
        print(event.position, flush=True)
        if event.position % ACKNOWLEDGE_EVERY == 0 or event.position == last:
            service.acknowledge("example-python", event.token)
        if event.position == last:
            break
