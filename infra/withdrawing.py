"""The way of a repair through the zones: out of the releases in use, of snapshots and credit files, and so of answers.

Custody takes the record out of each release that answers rest on, compute makes what rests on it again (the buckets in
which something changed; the rest is reused), and the platform points at it. Every step leaves the same seal when it is
done twice, so a withdrawal that was stopped is run again from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from credit import releases
from credit.actor import Actor, Role
from credit.catalogue import Catalogue
from credit.errors import Refused
from credit.keys import load_secret
from credit.shelf import OpenedSeal
from credit.subjects import PseudonymKey
from infra.home import Home
from infra.progress import ReportProgress
from models.scoring.scorer import Scorer
from models.settings import ComputeSettings
from models.snapshots.build import make_snapshot, point_snapshot
from models.snapshots.credit_files import DOSSIERS, make_dossiers, point_dossiers
from privacy.release.policy import Policy
from privacy.release.withdrawal import suppress_subjects, withdraw
from privacy.settings import CustodySettings
from privacy.vault import Vault

SNAPSHOT_MAKER = Actor("keeper", Role.PLATFORM)
MODELS = ("enterprise", "individual_business")
SCORING, INQUIRY = "scoring", "inquiry"
SIGNERS = {"platform"}


@dataclass(slots=True)
class Withdrawing:
    """One withdrawal: by whom, on which day, in which home; ``made`` has the ids of what it made."""

    home: Home
    catalogue: Catalogue
    by: Actor
    today: date
    report: ReportProgress
    made: dict[str, Any] = field(default_factory=dict)

    def withhold(self, codes: Iterable[str]) -> None:
        """From now on nothing is answered about these subjects, until the withdrawal is over."""
        for purpose in self._purposes():
            suppress_subjects(codes, **self._custody(purpose))

    def walk(self) -> bool:
        """Run the whole withdrawal; False when there was nothing to do.

        Raises :class:`Refused` at the end when a release in use cannot be amended: its subjects stay withheld, and what
        rests on the others has been made by then.
        """
        refused: list[Refused] = []
        for purpose in self._purposes():
            after: dict[str, str] = {}
            for base in self._in_use(purpose):
                try:
                    after[base.seal.id] = self._amended(purpose, base)
                except Refused as error:
                    refused.append(error)
            for name in MODELS if purpose == SCORING else (DOSSIERS,):
                if (before := self._pointed(name, deep=False)) is None:
                    continue
                old = str(before.seal.terms["release"])
                if after.get(old, old) != old:
                    self._renewed(name, self.home.shelf.open(after[old], deep=False))
        if refused:
            raise refused[0]
        return bool(self.made)

    def _renewed(self, name: str, release: OpenedSeal) -> None:
        before = self._pointed(name)
        assert before is not None
        if name == DOSSIERS:
            self._dossiers(before, release)
        else:
            self._snapshot(name, before, release)

    def _purposes(self) -> list[str]:
        return [
            purpose for purpose in (SCORING, INQUIRY) if releases.newest_release(self.home.shelf, purpose, self.today)
        ]

    def _in_use(self, purpose: str) -> list[OpenedSeal]:
        """The releases that answers of a purpose rest on, and the newest one, on which the next will."""
        newest = releases.newest_release(self.home.shelf, purpose, self.today)
        in_use = {newest.seal.id: newest} if newest else {}
        for name in MODELS if purpose == SCORING else (DOSSIERS,):
            if (snapshot := self._pointed(name, deep=False)) is not None:
                release = str(snapshot.seal.terms["release"])
                in_use.setdefault(release, self.home.shelf.open(release, deep=False))
        return list(in_use.values())

    def _pointed(self, name: str, *, deep: bool = True) -> OpenedSeal | None:
        pointer = self.home.shelf.pointer(f"snapshot-{name}", SIGNERS)
        return None if pointer is None else self.home.shelf.open(str(pointer["snapshot"]), deep=deep)

    def _amended(self, purpose: str, base: OpenedSeal) -> str:
        def step(doing: str, done: int, total: int) -> None:
            self.report(f"{purpose}: {doing}", done, total)

        limits = self.home.settings(CustodySettings, "custody").limits
        seal = withdraw(base=base, catalogue=self.catalogue, progress=step, limits=limits, **self._custody(purpose))
        if seal.id != base.seal.id:
            self.made.setdefault("releases", {})[purpose] = seal.id
        return seal.id

    def _snapshot(self, model: str, before: OpenedSeal, release: OpenedSeal) -> None:
        champion = self.home.shelf.pointer(f"champion-{model}", SIGNERS)
        if champion is None:
            return
        self.report(f"{model}: making the snapshot anew", 0, 0)
        version = self.home.shelf.open(champion["version"])
        seal = make_snapshot(
            version=version, release=release, scorer=Scorer.load(version.path), previous=before, progress=self.report,
            as_of=date.fromisoformat(before.seal.terms["as_of"]), **self._compute(),
        )  # fmt: skip
        point_snapshot(self.home.shelf, seal, key=self.home.key("platform"))
        self.made.setdefault("snapshots", {})[model] = seal.id

    def _dossiers(self, before: OpenedSeal, release: OpenedSeal) -> None:
        self.report("making the dossiers anew", 0, 0)
        seal = make_dossiers(release=release, previous=before, **self._compute())
        point_dossiers(self.home.shelf, seal, key=self.home.key("platform"))
        self.made["dossiers"] = seal.id

    def _custody(self, purpose: str) -> dict[str, Any]:
        settings = self.home.settings(CustodySettings, "custody")
        return {
            "vault": Vault(settings.raw, load_secret(settings.keys / "raw.key")),
            "policy": Policy.load(),
            "shelf": self.home.shelf,
            "key": self.home.key("custody"),
            "pseudonym_key": PseudonymKey(purpose, load_secret(settings.keys / f"pseudonym-{purpose}.key")),
            "ledger": self.home.ledger("custody", writing=True),
            "by": self.by,
            "today": self.today,
        }

    def _compute(self) -> dict[str, Any]:
        return {
            "shelf": self.home.shelf,
            "key": self.home.key("compute"),
            "by": SNAPSHOT_MAKER,
            "ledger": self.home.ledger("compute", writing=True),
            "today": self.today,
            "limits": self.home.settings(ComputeSettings, "compute").limits,
        }
