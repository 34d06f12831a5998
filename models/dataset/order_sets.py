"""The subjects behind an order (订单的主体集合): large enough, and not one person apart from an earlier order.

Where two orders differ in one subject, by their label or by whom they observe, the difference of two figures is that
subject's. So compute keeps, for every order that was answered, which subjects it observed and
which of them defaulted, in time and out of time. A new order of the same author or project has the same subjects as an
earlier one, or others by at least ``order_difference``. The same question on another release is let through: what
changed in the records between the two was not chosen by the author. Pairs of orders are compared, not unions.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from credit.canonical import digest, digest_json
from credit.errors import Broken, Refused
from credit.files import write_atomically
from credit.ledger import Ledger, LookUp
from models.privacy.floors import PrivacyFloors

if TYPE_CHECKING:
    from models.dataset.sample import Sample

Units = NDArray[np.uint64]
SETS, QUESTION = "sets", "question"  # keys of an entry's details: the digest of the sets, and of the order's question
PROJECT, RELEASE = "project", "release"
ANSWERED = "version.made"


@dataclass(frozen=True, slots=True, eq=False)
class OrderSets:
    """The subjects of an order by what evidence is computed on: ``observed`` and ``defaulted``, in time and later."""

    sets: Mapping[str, Units]

    @classmethod
    def of(cls, sample: Sample) -> OrderSets:
        """The sets of a sample."""
        units = np.array([int(subject[:16], 16) for subject in sample.subjects], dtype=np.uint64)
        late, bad = np.asarray(sample.out_of_time, dtype=np.bool_), np.asarray(sample.labels) == 1
        parts = {"in_time": ~late, "late": late, "all": np.ones(len(units), dtype=np.bool_)}
        sets = {f"{name}_observed": np.unique(units[part]) for name, part in parts.items()}
        sets |= {f"{name}_defaulted": np.unique(units[part & bad]) for name, part in parts.items()}
        return cls(sets)

    def require_floor(self, floors: PrivacyFloors) -> None:
        """Raise :class:`Refused` for an order that observes too few subjects, or too few of either outcome."""
        for name in ("in_time", "late"):
            observed, defaulted = self.sets[f"{name}_observed"], self.sets[f"{name}_defaulted"]
            if not len(observed):
                continue
            if len(observed) < floors.order_subjects:
                raise Refused("order-sets.few-subjects", subjects=len(observed), least=floors.order_subjects)
            fewest = min(len(defaulted), len(observed) - len(defaulted))
            if fewest < floors.order_defaulted:
                raise Refused("order-sets.few-outcomes", least=floors.order_defaulted)

    def difference(self, other: OrderSets) -> int:
        """The fewest subjects in which one of the sets differs from the other order's; 0 where none differs."""
        differing = [len(np.setxor1d(self.sets[name], other.sets[name], assume_unique=True)) for name in self.sets]
        return min((number for number in differing if number), default=0)

    def as_bytes(self) -> bytes:
        """The sets as a file; :meth:`read` gives them back."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **dict(self.sets))  # type: ignore[arg-type]
        return buffer.getvalue()

    @classmethod
    def read(cls, content: bytes) -> OrderSets:
        """Read what :meth:`as_bytes` wrote."""
        with np.load(io.BytesIO(content), allow_pickle=False) as data:
            return cls({name: data[name].astype(np.uint64) for name in data.files})


@dataclass(frozen=True, slots=True)
class AnsweredOrders:
    """The sets of the orders that were answered: files in compute's own ``folder``, their digests in its ledger."""

    folder: Path
    ledger: Ledger

    def require_apart(self, sets: OrderSets, floors: PrivacyFloors, request: Mapping[str, str], author: str) -> None:
        """Raise :class:`Refused` when an earlier order of the author or project differs in a few subjects.

        ``request`` holds ``question, release, project``. Raises :class:`Broken` when the sets of an earlier order are
        missing or changed.
        """
        for earlier in self._near(request, author):
            if 0 < sets.difference(earlier) < floors.order_difference:
                raise Refused("order-sets.too-near", least=floors.order_difference)

    def keep(self, sets: OrderSets) -> str:
        """Keep the sets of an order that is about to be answered; their digest, for the entry that says so."""
        content = sets.as_bytes()
        name = digest(content)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(self.folder / f"{name}.npz", content, mode=0o600)
        return name

    def _near(self, request: Mapping[str, str], author: str) -> Iterator[OrderSets]:
        entries = [entry for entry in self.ledger.find(LookUp(verb=ANSWERED)) if SETS in entry.details]
        project = request[PROJECT]
        near = [
            entry.details
            for entry in entries
            if (entry.by.name == author or (project and entry.details.get(PROJECT) == project))
            and not (entry.details[QUESTION] == request[QUESTION] and entry.details[RELEASE] != request[RELEASE])
        ]
        for name in dict.fromkeys(str(details[SETS]) for details in near):
            path = self.folder / f"{name}.npz"
            content = path.read_bytes() if path.is_file() else b""
            if digest(content) != name:
                raise Broken("order-sets.gone")
            yield OrderSets.read(content)


def question_of(order: Mapping[str, Any]) -> str:
    """The digest of what an order (as JSON) asks of its subjects, whatever the features."""
    return digest_json({name: order[name] for name in ("subject_kind", "population", "label", "observe", "split")})
