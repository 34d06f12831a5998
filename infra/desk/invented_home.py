"""Whether a home is invented (虚构): all its subjects come from ``haihe city``, so ``--by`` may be believed there.

The first entry of the front desk's ledger says so, signed by the desk. A home whose ledger began with anything else is
never invented, and nothing that is written later can change that. Each drawing of a city records the digests of its
files; a home that brought in any other file is not invented any more. The repair of a record that is there brings
nothing in: custody writes its file itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.ledger import Ledger
from credit.ledger.follower import CachedLedger
from infra.home import Home

BEGUN, DRAWN = "home.begun", "city.drawn"
ACCEPTED, RELEASED = "intake.accepted", "release.made"
INSTALLATION = Actor("installation", Role.SERVICE)


def begin(ledger: Ledger, *, invented: bool, samples: Mapping[str, str] | None = None) -> None:
    """Write the first entry of the desk's ledger. A home that has begun in the same way is left as it is.

    ``samples`` (name to SHA-256) are the published files of a demonstration: the home may bring in those and no others,
    and they are named in its first entry, so none can be added later. Raises :class:`Refused` for a home that has begun
    otherwise.
    """
    if ledger.head()[0] == 0:
        details = {"invented": invented} | ({"samples": dict(samples)} if samples else {})
        ledger.append(BEGUN, "home", by=INSTALLATION, details=details)
    if _began_invented(ledger) != invented:
        raise Refused("invented-home.began-otherwise")


def record_city(ledger: Ledger, files: Mapping[str, str], *, by: Actor = INSTALLATION) -> None:
    """Record in the desk's ledger which files a drawing of the invented city made: name to SHA-256."""
    ledger.append(DRAWN, "city", by=by, details={"files": dict(files)})


def _began_invented(ledger: Ledger) -> bool:
    first = next(iter(ledger.entries()), None)
    return first is not None and first.verb == BEGUN and first.details.get("invented") is True


def is_invented(home: Home) -> bool:
    """Whether a home is invented now; raises :class:`~credit.errors.Broken` for a ledger that does not verify."""
    return InventedHome.of(home.ledger("desk"), home.ledger("custody")).is_invented()


@dataclass(frozen=True, slots=True)
class InventedHome:
    """Says whether a home is invented, from the ledgers of the desk and of custody; each entry is read once."""

    home_ledger: CachedLedger
    custody: CachedLedger
    _no: list[bool] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, home_ledger: Ledger, custody: Ledger) -> InventedHome:
        """The home of these two ledgers, each opened with its zone's name."""
        return cls(CachedLedger.of(home_ledger, "home", "city"), CachedLedger.of(custody, "intake", "release"))

    def is_invented(self) -> bool:
        """True when the home began as invented, and all that custody took in since are files of drawn cities.

        Once it is False it stays so. Raises :class:`~credit.errors.Broken` for a ledger that does not verify.
        """
        if not self._no and not self._is_invented():
            self._no.append(True)
        return not self._no

    def _is_invented(self) -> bool:
        own = list(self.home_ledger.entries())
        if not own or own[0].seq != 1 or own[0].verb != BEGUN or own[0].details.get("invented") is not True:
            return False
        samples = set(dict(own[0].details.get("samples", {})).values())
        drawn = {value for entry in own if entry.verb == DRAWN for value in entry.details.get("files", {}).values()}
        for entry in self.custody.entries():
            if entry.verb == ACCEPTED and entry.details.get("of_repair") is not True:
                files = entry.details.get("files")
                if not isinstance(files, Mapping) or not files or not set(files.values()) <= drawn | samples:
                    return False
            elif entry.verb == RELEASED and not samples and entry.details.get("invented") is not True:
                return False
        return True
