"""Where the examples find settlement: SETTLEMENT, INSURER, and with TLS the files AUTHORITIES, CERTIFICATE and KEY."""

import os

from samenloop_client import Settlements, credentials


def settlements():
    certificate = os.environ.get("CERTIFICATE")
    shown = credentials(os.environ["AUTHORITIES"], certificate, os.environ["KEY"]) if certificate else None
    return Settlements(os.environ["SETTLEMENT"], os.environ["INSURER"], shown)
