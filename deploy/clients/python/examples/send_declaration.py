"""Sends a declaration and waits for its outcome: python3 send_declaration.py DECLARATION.json OUTCOMES.jsonl

AMQP_URL names the broker and the user, PARTY its party where that has another name. The declaration is sent under the
message id that it has, so that the program may be run again. Every outcome that comes meanwhile is added to the file,
whoever asked for it, and what is printed is the outcome asked for.
"""

import json
import os
import sys

from samenloop_client import Declarations

path, kept = sys.argv[1:3]
with open(path, encoding="utf-8") as file:
    declaration = json.load(file)
with Declarations(os.environ["AMQP_URL"], os.environ.get("PARTY")) as declarations, open(kept, "a") as outcomes:
    message_id = declarations.submit(declaration)
    for outcome in declarations.outcomes(wait_seconds=60):
        outcomes.write(json.dumps(outcome) + "\n")
        outcomes.flush()
        os.fsync(outcomes.fileno())
        if outcome.get("message_id") == message_id:
            print(json.dumps(outcome))
            break
    else:
        sys.exit("no outcome within 60 seconds")
