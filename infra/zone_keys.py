"""``python -m infra.zone_keys ZONE HOME [ledgers]``: makes the keys of one zone, in a process that ends after it.

With ``ledgers`` it also begins the zone's ledgers, for a home in which the zone itself cannot write beside the public
keys that they have begun.

So no process ever holds the private keys of two zones, also not the one that makes a home.
"""

from __future__ import annotations

import sys
from pathlib import Path

from credit.errors import CreditError
from credit.files import write_atomically
from credit.keys import KeyRing, SigningKey, create_secret
from credit.ledger import Ledger
from credit.ledger.head import begin
from credit.requests.state_reader import LEDGER_ZONES

SECRETS = {"custody": ("raw", "pseudonym-research", "pseudonym-scoring", "pseudonym-inquiry")}
"""The secrets that a zone makes for itself."""


def make_keys(zone: str, root: Path) -> None:
    """Make what is not there yet: the signing key with its public half in the ring, and the secrets."""
    folder = root / "keys" / zone
    if not (folder / f"signing-{zone}.pem").exists():
        public = SigningKey.create(folder, zone).public_pem()
        write_atomically(root / "keys" / "ring" / f"{zone}.pem", public)
    for name in SECRETS.get(zone, ()):
        if not (folder / f"{name}.key").exists():
            create_secret(folder / f"{name}.key")


def begin_ledgers(zone: str, root: Path) -> None:
    """Record that each ledger of the zone has begun; done twice it changes nothing."""
    key, ring = SigningKey.load(root / "keys" / zone, zone), KeyRing.load(root / "keys" / "ring")
    for name, signer in LEDGER_ZONES.items():
        path = root / "ledgers" / f"{name}.jsonl"
        if signer == zone and not Ledger(path, None, ring, zone).has_begun():
            begin(path, key, ring)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["ledgers"]):
        sys.exit("python -m infra.zone_keys ZONE HOME [ledgers]")
    try:
        make_keys(sys.argv[1], Path(sys.argv[2]))
        if sys.argv[3:]:
            begin_ledgers(sys.argv[1], Path(sys.argv[2]))
    except CreditError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
