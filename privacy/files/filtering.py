"""Take what is no row out of rows that were read: blank lines, totals, notes and a header that stands again."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from privacy.files.block import BLANK, NOTE, SECOND_HEADER, TOTAL

_TOTAL = r"^[\s　]*(合[\s　]*计|总[\s　]*计|小[\s　]*计|共[\s　]*计)[\s　]*[:：]?[\s　]*$"
_NOTE = r"^[\s　]*(填报|填表|审核|制表|复核|负责人|联系人|报送|备注|说明|注)[^,，]{0,12}[:：]"
_FEW = 3  # cells with a value that a note has at most, and a total beside its word and its sums


def is_note(cells: Sequence[str]) -> bool:
    """Whether a line is a note or a total: it begins as one, and has no more cells with a value than one has."""
    first = next((cell for cell in cells if cell.strip()), "")
    return sum(bool(cell.strip()) for cell in cells) <= _FEW and re.match(f"{_TOTAL}|{_NOTE}", first) is not None


def without_others(
    rows: pa.Table, lines: npt.NDArray[np.int64], unnamed: Sequence[str]
) -> tuple[pa.Table, npt.NDArray[np.int64], dict[str, int]]:
    """The rows that are rows, their lines, and the number of the others by kind.

    A column without a name is dropped when none of its cells has a value.
    """
    if len(rows) and rows.num_columns > 1:
        kinds = _kinds(rows)
        others = {kind: int(mask.sum()) for kind, mask in kinds.items() if mask.any()}
        if others:
            keep = ~np.logical_or.reduce(list(kinds.values()))
            rows, lines = rows.filter(pa.array(keep)), lines[keep]
    else:
        others = {}
    empty = [name for name in unnamed if name in rows.column_names and not _has_value(rows[name])]
    return rows.drop_columns(empty) if empty else rows, lines, others


def _kinds(rows: pa.Table) -> dict[str, npt.NDArray[np.bool_]]:
    """Kind -> which rows (n,) are of it. Cells are counted only where a row looks like one."""
    columns, nothing = rows.columns, np.zeros(len(rows), bool)
    first = [_mask(pc.equal(pc.utf8_trim_whitespace(column), "")) for column in columns[:3]]
    blank, total, note = np.logical_and.reduce(first), nothing, nothing
    for column in columns[:2]:
        total = total | _mask(pc.match_substring_regex(column, _TOTAL))
        note = note | _mask(pc.match_substring_regex(column, _NOTE))
    names = rows.column_names
    again = _mask(pc.equal(columns[0], names[0])) & _mask(pc.equal(columns[1], names[1]))
    places = np.flatnonzero(blank | total | note)
    if len(places):
        some = rows.take(pa.array(places))
        filled = sum(~_mask(pc.equal(pc.utf8_trim_whitespace(column), "")) for column in some.columns)
        blank[places] &= filled == 0
        total[places] &= filled <= max(_FEW, len(columns) // 2)
        note[places] &= filled <= _FEW
    return {BLANK: blank, TOTAL: total & ~blank, NOTE: note & ~total & ~blank, SECOND_HEADER: again}


def _has_value(column: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.not_equal(pc.utf8_trim_whitespace(column), "")).as_py())


def _mask(values: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = np.asarray(pc.fill_null(values, False).to_numpy(), dtype=bool)
    return mask
