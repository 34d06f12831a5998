"""The origins of a parcel (来源): the orders and makers of the model versions in it, who do not review it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from credit.errors import Missing
from credit.seal import Kind
from credit.shelf import Shelf
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.kinds.models.model_name import version_of


@dataclass(frozen=True, slots=True)
class ParcelOrigins:
    """The orders from which the versions in a parcel were made, and the names of the people who made either."""

    orders: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()

    def as_json(self) -> dict[str, list[str]]:
        """The origins as plain values."""
        return {"orders": list(self.orders), "makers": list(self.makers)}


NO_ORIGINS = ParcelOrigins()


def origins_of(files: Iterable[tuple[FileKind | str | None, bytes]], shelf: Shelf) -> ParcelOrigins:
    """The origins of files, given as kind and outgoing bytes; raises :class:`Missing` for an unknown version."""
    orders: set[str] = set()
    makers: set[str] = set()
    for kind, content in files:
        if kind != FileKind.VERSION:
            continue
        version = shelf.open(version_of(content), deep=False).seal
        makers.add(version.made_by.name)
        for parent in version.parents:
            if not parent.startswith(f"{Kind.ORDER}-"):
                continue
            orders.add(parent)
            try:
                makers.add(shelf.open(parent, deep=False).seal.made_by.name)
            except Missing:  # destroyed since: the ledger still knows who placed it
                continue
    return ParcelOrigins(tuple(sorted(orders)), tuple(sorted(makers)))
