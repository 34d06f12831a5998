"""Attackers on tables: each hides the bits of a message in the bytes of a file whose cells stay the same."""

from __future__ import annotations

import io
import json
import random
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

HEADER = ["band", "firms", "share"]
ROWS: list[list[Any]] = [[f"band {n}", 100 + 5 * n, round(0.25 + n / 40, 3)] for n in range(20)]
Encoder = Callable[[random.Random], tuple[str, bytes]]
"""An attacker: the name and the bytes of a file that holds a message drawn from the generator."""


def _cells(spell: Callable[[random.Random, Any], str], draw: random.Random) -> list[list[str]]:
    return [HEADER, *([spell(draw, cell) for cell in row] for row in ROWS)]


def _csv(spell: Callable[[random.Random, Any], str], end: Callable[[random.Random], str] = lambda _: "\n") -> Encoder:
    def encode(draw: random.Random) -> tuple[str, bytes]:
        return "t.csv", "".join(",".join(row) + end(draw) for row in _cells(spell, draw)).encode()

    return encode


def _json(draw: random.Random, *, members: bool = False, blanks: bool = False, twice: bool = False) -> bytes:
    records = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    if members:
        records = [records[0], *(dict(draw.sample(list(each.items()), 3)) for each in records[1:])]
    text = json.dumps(records)
    if blanks:
        text = "".join(char + draw.choice(["", " ", "\t"]) if char in ",:[{" else char for char in text)
    if twice:
        text = text.replace('{"band"', f'{{"firms": {draw.randrange(10**6)}, "band"')
    return text.encode()


def _parquet(draw: random.Random, how: str) -> bytes:
    columns: dict[str, Any] = {name: [row[n] for row in ROWS] for n, name in enumerate(HEADER)}
    arrays = {name: pa.array(values) for name, values in columns.items()}
    options: dict[str, Any] = {}
    if how == "types":
        arrays["firms"] = arrays["firms"].cast(draw.choice([pa.int16(), pa.int32(), pa.uint64(), pa.float64()]))
    elif how == "encoding":
        options = {
            "compression": draw.choice(["none", "snappy", "zstd", "gzip"]),
            "row_group_size": draw.randint(1, 20),
        }
        options |= {"use_dictionary": draw.random() < 0.5, "write_statistics": draw.random() < 0.5}
    elif how in ("payloads of NaN", "signs of zero"):
        nan = how == "payloads of NaN"
        bits = [(0x7FF << 52 | draw.randrange(1, 2**52)) if nan else draw.getrandbits(1) << 63 for _ in ROWS]
        data = pa.py_buffer(struct.pack(f"<{len(ROWS)}Q", *bits))
        arrays["share"] = pa.Array.from_buffers(pa.float64(), len(ROWS), [None, data])
    elif how == "dictionary":
        words = [*columns["band"], *(f"{draw.getrandbits(64)}" for _ in range(50))]
        arrays["band"] = pa.DictionaryArray.from_arrays(pa.array(range(len(ROWS)), pa.int32()), pa.array(words))
    table = pa.table(arrays)
    if how == "metadata":
        table = table.replace_schema_metadata({"pandas": f"{draw.getrandbits(4096)}"})
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def _parquet_file(how: str, draw: random.Random) -> tuple[str, bytes]:
    return "t.parquet", _parquet(draw, how)


def _padded(draw: random.Random, cell: Any) -> str:
    return "".join(draw.choice([" ", "\t", "　", "\xa0", ""]) for _ in range(8)) + f"{cell}"


def _respelled(draw: random.Random, cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    forms = [
        f"{cell}",
        f"+{cell}",
        f"{cell}e0",
        f"{float(cell) / 10:.12g}e1",
        f"{cell:.3f}",
        f"{cell:.9f}",
        f'"{cell}"',
    ]
    return draw.choice(forms)


def _full_width(draw: random.Random, cell: Any) -> str:
    return "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and c not in ',"' and draw.random() < 0.5 else c for c in str(cell)
    )


ATTACKERS: dict[str, Encoder] = {
    "blanks around cells": _csv(_padded),
    "spellings of numbers": _csv(_respelled),
    "full-width characters": _csv(_full_width),
    "quotes": _csv(lambda draw, cell: draw.choice([f"{cell}", f'"{cell}"'])),
    "line ends": _csv(lambda _, cell: f"{cell}", lambda draw: draw.choice(["\n", "\r\n"])),
    "blank lines": _csv(lambda _, cell: f"{cell}", lambda draw: "\n" * draw.randint(1, 40)),
    "zero-width characters": _csv(lambda draw, cell: f"{cell}" + draw.choice(["", "\u200b", "\u2060"])),
    "spellings of nothing": _csv(
        lambda draw, cell: draw.choice(["", "NaN", "null", "N/A"]) if isinstance(cell, float) else f"{cell}"
    ),
    "marks": _csv(lambda draw, cell: "*" * draw.randint(1, 9) if isinstance(cell, float) else f"{cell}"),
    "leading zeros": _csv(lambda draw, cell: "0" * draw.randint(0, 5) + f"{cell}"),
    "byte-order mark": lambda draw: ("t.csv", draw.choice([b"", b"\xef\xbb\xbf"]) + _csv(lambda _, c: f"{c}")(draw)[1]),
    "delimiters": lambda draw: (
        "t.csv", _csv(lambda _, cell: f"{cell}")(draw)[1].replace(b",", draw.choice([b",", b";", b"|", b"\t"])),
    ),
    "JSON's blanks": lambda draw: ("t.json", _json(draw, blanks=True)),
    "order of JSON's members": lambda draw: ("t.json", _json(draw, members=True)),
    "JSON's members twice": lambda draw: ("t.json", _json(draw, twice=True)),
    "values after JSON": lambda draw: ("t.json", _json(draw) + f"\n{draw.getrandbits(64)}".encode()),
    **{
        f"Parquet: {how}": partial(_parquet_file, how)
        for how in ("types", "encoding", "payloads of NaN", "signs of zero", "dictionary", "metadata")
    },
}  # fmt: skip
