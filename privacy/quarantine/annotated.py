"""Files back to the source units (退回数据源单位): the rejected rows as they came, each with its id and its reason.

One file for each table and file of the source unit, as CSV (UTF-8 with a byte order mark, which Excel needs) or xlsx.
The source unit corrects the rows and sends the file back: the id says which waiting row a row corrects. A row that
could not be split has its line in a column of its own.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from credit.catalogue import Catalogue
from credit.messages import Text
from privacy.quarantine.store import ORIGINAL, REASON, WAITING_ID
from privacy.quarantine.writing import write_for_owner

FORMS = ("csv", "xlsx")
_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "＝",
    "＋",
    "－",
    "＠",
)  # how a formula begins


def reason_of(row: Mapping[str, Any], language: str) -> str:
    """Why a row is in quarantine, in a language; in English where it was stored by an earlier version."""
    if row.get("message"):
        reason = Text.from_json(json.loads(row["message"]))
        if reason is not None:
            return reason.render(language)
    return str(row["reason"])


def fields_of(row: Mapping[str, Any]) -> dict[str, str] | None:
    """Official name -> value of a rejected row; None for one that could not be split."""
    given, _, _ = str(row["row"]).partition("} unknown: ")
    try:
        values = json.loads(given if given.endswith("}") else given + "}")
    except ValueError:
        return None
    if not isinstance(values, dict):
        return None
    return {str(name): str(value) for name, value in values.items() if value is not None}


def write_annotated(rows: Sequence[Mapping[str, Any]], catalogue: Catalogue, folder: Path, form: str) -> list[Path]:
    """Write the files into a folder, which is made; returns their paths. Only their owner can read them.

    Raises :class:`Malformed` where one cannot be written.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["table"], row["file"]), []).append(row)
    paths: list[Path] = []
    for (table, file), of_file in sorted(groups.items()):
        stem = re.sub(r"[^\w.-]+", "_", f"{table or 'unknown'}__{Path(file).stem}")[:120]
        path = folder / f"{stem}__rejected.{form}"
        number = 1
        while path in paths:
            number += 1
            path = folder / f"{stem}__rejected_{number}.{form}"
        lines = list(_lines(of_file, _titles(catalogue, table)))
        content = as_csv(lines) if form == "csv" else _xlsx(lines)
        write_for_owner(path, content)
        paths.append(path)
    return paths


def _titles(catalogue: Catalogue, table: str) -> dict[str, str]:
    return {field.name: field.title for field in catalogue.tables[table].fields} if table in catalogue.tables else {}


def _lines(rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Iterable[list[str]]:
    """The header, the titles below it, and the rows: id, reason, the fields, the line of a row that was not split."""
    split = [fields_of(row) for row in rows]
    used = dict.fromkeys(name for values in split if values for name in values)
    names = [*(name for name in titles if name in used or not used), *(name for name in used if name not in titles)]
    yield [WAITING_ID, REASON, *names, ORIGINAL]
    if any(name != titles.get(name, name) for name in names):
        yield ["", "", *(titles.get(name, name) for name in names), ""]
    for row, values in zip(rows, split, strict=True):
        reason = " / ".join(dict.fromkeys((reason_of(row, "zh"), reason_of(row, "en"))))
        cells = [(values or {}).get(name, "") for name in names]
        yield [str(row["id"] or ""), reason, *cells, "" if values is not None else str(row["row"])]


def as_csv(lines: Sequence[Sequence[str]]) -> bytes:
    """CSV in which no cell begins as a formula: an apostrophe marks it as text, as Excel does."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerows(
        [[f"'{cell}" if cell.lstrip(" \u3000").startswith(_FORMULA) else cell for cell in line] for line in lines]
    )
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def _xlsx(lines: Sequence[Sequence[str]]) -> bytes:
    """A workbook of texts alone: no cell is a formula, a link or a number, so a code keeps its digits."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as workbook:
        worksheet, as_text = workbook.add_worksheet("退回"), workbook.add_format({"num_format": "@"})
        for number, line in enumerate(lines):
            for column, cell in enumerate(line):
                worksheet.write_string(number, column, cell[:32767], as_text)
        worksheet.freeze_panes(1, 2)
    return out.getvalue()
