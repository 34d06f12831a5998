"""The lines of a job: how they are read, and how what is said of each is written (CSV, RFC 4180)."""

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
    """How many lines a file has, and the file without its head.

    Raises Malformed unless it is UTF-8 text headed `uscc,purpose,mandate` with 1 to MOST lines. What a line holds is
    looked at when its turn comes: one bad line is one bad line of the result.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        raise Malformed("job-lines.file-cannot-be-read-not-utf") from bad
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if tuple(part.strip().strip('"') for part in lines[0].split(",")) != INPUT_COLUMNS:
        raise Malformed("job-lines.file-cannot-be-read", head=",".join(INPUT_COLUMNS))
    if not 1 <= len(lines) - 1 <= MAX_LINES:
        raise Malformed("job-lines.not-job", lines_count=len(lines) - 1, limit=MAX_LINES)
    return len(lines) - 1, ("\n".join(lines[1:]) + "\n").encode()


def read_line(text: str) -> ScoreRequest:
    """One line. Raises Malformed without repeating it."""
    if len(text) > MAX_LINE_LENGTH:
        raise Malformed("job-lines.line-cannot-be-read", longest=MAX_LINE_LENGTH)
    try:
        parts = [part.strip() for part in next(iter(csv.reader([text])), [])]
    except csv.Error:  # a quote that never ends, a carriage return in a field
        parts = []
    if len(parts) != len(INPUT_COLUMNS):
        raise Malformed(
            "job-lines.line-cannot-be-read-takes-fields-and", head_count=len(INPUT_COLUMNS), parts_count=len(parts)
        )
    return ScoreRequest(*parts)


def header_row() -> bytes:
    """The first line of a result."""
    return _row(OUTPUT_COLUMNS)


def answer_row(number: int, answer: Mapping[str, Any]) -> bytes:
    """The line of an answer; reasons as `feature:points`, one blank between."""
    told = dict(answer) | {
        "line": number, "status": 200, "problem": "",
        "reasons": " ".join(f"{reason['code']}:{reason['points']:g}" for reason in answer["reasons"]),
        "rules": " ".join(rule["code"] for rule in answer["rules"]),
        "missing": " ".join(answer["missing"]["features"]),
        "snapshot": answer["snapshot"]["id"], "entry": answer["receipt"]["entry"],
        "digest": answer["receipt"]["digest"],
    }  # fmt: skip
    return _row([told[name] for name in OUTPUT_COLUMNS])


def refusal_row(number: int, score_id: str, error: CreditError) -> bytes:
    """The line of a refusal: nothing of what the line held stands in it, so a formula in it is nowhere either."""
    told: dict[str, object] = {"line": number, "status": error.status, "score_id": score_id, "problem": str(error)}
    return _row([told.get(name, "") for name in OUTPUT_COLUMNS])


def next_lines(path: Path, read: int, most: int) -> tuple[list[str], int]:
    """The next lines of a file of which `read` bytes were read, `most` of them, and how many bytes are read then."""
    with path.open("rb") as stream:
        stream.seek(read)
        lines = [line.decode().rstrip("\n") for line in itertools.islice(iter(stream.readline, b""), most)]
        return lines, stream.tell()


def read_answer(body: bytes) -> dict[str, Any]:
    """An answer as the door would send it, read back."""
    told: dict[str, Any] = json.loads(body)
    return told


def _row(values: Any) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerow(values)
    return stream.getvalue().encode()
