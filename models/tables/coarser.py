"""What would pass instead of a refused table: the same without one of its groups, or without any."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from credit.messages import Text
from models.tables.cells.contents import CellContents
from models.tables.cells.of_rows import Cells
from models.tables.differencing.isolation import EarlierUnits
from models.tables.differencing.suppression import published
from models.tables.policy import TablePolicy

TRIES = 8


def what_would_pass(cells: Cells, earlier: EarlierUnits, policy: TablePolicy) -> Text:
    """The first coarser grouping of which enough can be published, as a text; or that none of those tried passes."""
    for number, (text, contents) in enumerate(_coarser(cells)):
        if number >= TRIES:
            break
        shown = published(contents, earlier, policy, _silent)
        if shown.count and shown.share >= policy.published_share_at_least:
            return text
    return Text.of("tables.nothing-passes")


def _coarser(cells: Cells) -> Iterator[tuple[Text, CellContents]]:
    names = cells.plan.groups
    for left_out, name in enumerate(names):
        if len(names) > 1:
            labels = [label[:left_out] + label[left_out + 1 :] for label in cells.labels]
            numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
            merged = cells.contents.merged(np.array([numbers[label] for label in labels], dtype=np.int64))
            yield Text.of("tables.try-without", name=name), merged
    if names:
        yield Text.of("tables.try-without-groups"), cells.contents.whole()


def _silent(done: int, total: int) -> None:
    """No progress of what is only tried."""
