"""The lines of a job's files: read from the input, and written to the result (CSV, RFC 4180)."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from credit.errors import CreditError, Malformed
from serving.responses.job_columns import INPUT_COLUMNS, MAX_LINE_LENGTH, MAX_LINES, OUTPUT_COLUMNS
from serving.responses.request_schemas import ScoreRequest


def split_lines(body: bytes) -> tuple[int, bytes]:
    """The number of lines of an input file, and the file without its header.

    Raises Malformed unless it is UTF-8 text with the header `uscc,purpose,mandate` and 1 to MAX_LINES lines. The
    lines themselves are read when they are scored, so an invalid line makes one refusal in the result.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as invalid:
        raise Malformed("job-lines.file-cannot-be-read-not-utf") from invalid
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if tuple(part.strip().strip('"') for part in lines[0].split(",")) != INPUT_COLUMNS:
        raise Malformed("job-lines.file-cannot-be-read", head=",".join(INPUT_COLUMNS))
    if not 1 <= len(lines) - 1 <= MAX_LINES:
        raise Malformed("job-lines.not-job", lines_count=len(lines) - 1, limit=MAX_LINES)
    return len(lines) - 1, ("\n".join(lines[1:]) + "\n").encode()


def read_line(text: str) -> ScoreRequest:
    """Parse one line. Raises Malformed without repeating it."""
    if len(text) > MAX_LINE_LENGTH:
        raise Malformed("job-lines.line-cannot-be-read", longest=MAX_LINE_LENGTH)
    try:
        parts = [part.strip() for part in next(iter(csv.reader([text])), [])]
    except csv.Error:  # an unclosed quote, or a carriage return in a field
        parts = []
    if len(parts) != len(INPUT_COLUMNS):
        raise Malformed(
            "job-lines.line-cannot-be-read-takes-fields-and", head_count=len(INPUT_COLUMNS), parts_count=len(parts)
        )
    return ScoreRequest(*parts)


def header_row() -> bytes:
    """The header of a result."""
    return _row(OUTPUT_COLUMNS)


def answer_row(line: int, answer: Mapping[str, Any]) -> bytes:
    """The row of an answer. Reasons are written as `feature:points`, separated by one blank."""
    row = dict(answer) | {
        "line": line, "status": 200, "problem": "",
        "reasons": " ".join(f"{reason['code']}:{reason['points']:g}" for reason in answer["reasons"]),
        "rules": " ".join(rule["code"] for rule in answer["rules"]),
        "missing": " ".join(answer["missing"]["features"]),
        "snapshot": answer["snapshot"]["id"], "entry": answer["receipt"]["entry"],
        "digest": answer["receipt"]["digest"],
    }  # fmt: skip
    return _row([row[name] for name in OUTPUT_COLUMNS])


def refusal_row(line: int, score_id: str, error: CreditError) -> bytes:
    """The row of a refusal.

    It repeats nothing of the input line, so a spreadsheet formula in that line cannot reach it.
    """
    row: dict[str, object] = {"line": line, "status": error.status, "score_id": score_id, "problem": str(error)}
    return _row([row.get(name, "") for name in OUTPUT_COLUMNS])


def next_lines(path: Path, offset: int, limit: int) -> tuple[list[str], int]:
    """Up to `limit` lines of a file from the byte `offset` on, and the offset after them."""
    with path.open("rb") as stream:
        stream.seek(offset)
        lines = [line.decode().rstrip("\n") for line in itertools.islice(iter(stream.readline, b""), limit)]
        return lines, stream.tell()


def read_answer(body: bytes) -> dict[str, Any]:
    """An answer's body, decoded."""
    answer: dict[str, Any] = json.loads(body)
    return answer


def _row(values: Any) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerow(values)
    return stream.getvalue().encode()
