"""Text, Markdown and code (文本与代码): no identifiers, no encoded data, no deceptive characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from credit.gate import Finding, Outcome
from credit.messages import Text
from lab.airlock.checks.hidden_identifiers import hidden_identifiers, pseudonyms
from lab.airlock.issue import Check, Issue, fail, review, run_checks
from lab.airlock.thresholds import Thresholds

_BLOB = r"(?:[A-Za-z0-9+/_-]{{{0},}}={{0,2}}|(?:[0-9a-fA-F]{{2}}[\s:,]?){{{1},}}|(?:\\x[0-9a-fA-F]{{2}}){{{2},}})"
_LITERAL = re.compile(r"'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"", re.S)
_WORD = re.compile(r"\w+")
_LOOKALIKE = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH", "MATHEMATICAL")
_BLANKS = re.compile(r"[ \t]+$", re.M)
_TAKE_OUT = Text.of("airlock.take-out")


def subject_identifiers(text: str, t: Thresholds) -> Iterator[Issue]:
    """No pseudonym, social credit code (GB 32100), ID number or phone number."""
    keys = list(pseudonyms(text))
    if keys:
        yield fail(
            Text.of("airlock.pseudonyms"),
            Text.of("airlock.pseudonyms-fix"),
            how_many=len(keys),
            lines=sorted({text.count("\n", 0, place) + 1 for place in keys})[:10],
        )
    counts = hidden_identifiers([text])
    if counts:
        yield fail(Text.of("airlock.identifiers"), Text.of("airlock.identifiers-fix"), **counts)


def long_digit_runs(text: str, t: Thresholds) -> Iterator[Issue]:
    """No long run of digits, which may be an account, a document number, or data without separators."""
    pattern = re.compile(rf"(?<![\d.])\d{{{t['digit_run_at_most'] + 1},}}|\.\d{{{t['digits_at_most'] + 1},}}")
    runs = pattern.findall(text)
    if runs:
        why = Text.of("airlock.digit-run", limit=t["digit_run_at_most"])
        yield fail(why, Text.of("airlock.digit-run-fix"), how_many=len(runs), lines=_lines(text, pattern))


def encoded_data(text: str, t: Thresholds) -> Iterator[Issue]:
    """No long runs of base64 or hexadecimal, whose content a reviewer cannot read; long strings go to review."""
    maximum = t["blob_at_most"]
    pattern = re.compile(_BLOB.format(maximum + 1, maximum // 2 + 1, maximum // 4 + 1))
    runs = [match for match in pattern.finditer(text) if _is_dense(match[0])]
    if runs:
        why = Text.of("airlock.encoded", count=len(runs), limit=maximum)
        lines = sorted({text.count("\n", 0, match.start()) + 1 for match in runs})[:10]
        yield fail(why, _TAKE_OUT, how_many=len(runs), lines=lines)
    long = [match for match in _LITERAL.finditer(text) if len(match[0]) > t["literal_at_most"]]
    if long:
        lines = [text.count("\n", 0, match.start()) + 1 for match in long[:10]]
        yield review(Text.of("airlock.long-strings", limit=t["literal_at_most"]), _TAKE_OUT, lines=lines)


def deceptive_characters(text: str, t: Thresholds) -> Iterator[Issue]:
    """No zero-width or direction-changing characters, no letters that imitate Latin ones (Unicode UTS #39)."""
    odd = [n for n, char in enumerate(text) if _is_invisible(char)]
    if odd:
        lines = sorted({text.count("\n", 0, n) + 1 for n in odd[:1000]})[:10]
        why = Text.of("airlock.invisible")
        yield fail(why, Text.of("airlock.invisible-fix"), how_many=len(odd), lines=lines)
    mixed = [word for word in _WORD.findall(text) if not word.isascii() and _mixes_scripts(word)]
    if mixed:
        why = Text.of("airlock.mixed-scripts")
        yield fail(why, Text.of("airlock.mixed-scripts-fix"), how_many=len(mixed))
    blanks = _BLANKS.findall(text)
    if len(blanks) > 10 and len(set(blanks)) > 2:
        yield fail(Text.of("airlock.blanks"), Text.of("airlock.blanks-fix"), lines=len(blanks))


def length(text: str, t: Thresholds) -> Iterator[Issue]:
    """The text is short enough for two reviewers to read; a longer text is not checked further."""
    lines, size = text.count("\n") + 1, len(text.encode())
    if lines > t["lines_at_most"] or size > t["text_bytes_at_most"]:
        why = Text.of("airlock.long-text", lines=lines, size=size)
        yield fail(why, Text.of("airlock.what-purpose-needs"), lines=lines, bytes=size)
    elif max(map(len, text.split("\n"))) > t["line_length_at_most"]:
        yield review(Text.of("airlock.long-lines", limit=t["line_length_at_most"]), Text.of("airlock.long-lines-fix"))


def _is_invisible(char: str) -> bool:
    if char.isascii():
        return False
    selector = "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
    filler = char in "\u115f\u1160\u3164\uffa0\u2800\u034f"
    space = unicodedata.category(char) == "Zs" and char not in "\u3000\u00a0"
    return selector or filler or space or unicodedata.category(char) in ("Cf", "Co", "Cn", "Zl", "Zp")


def _mixes_scripts(word: str) -> bool:
    names = [unicodedata.name(char, "") for char in word if char.isalpha()]
    latin = any(name.startswith("LATIN") for name in names)
    return latin and any(name.startswith(_LOOKALIKE) for name in names)


def _is_dense(run: str) -> bool:
    """True for a run that may carry data; False for a ruler of one character or a long name of words."""
    signs = set(run) - set(" \t\r\n:,")
    if len(signs) < 8:
        return False
    words = re.split(r"[_/.-]+", run)
    return not all(re.fullmatch(r"[a-z]{0,20}|[A-Z]{0,20}|[A-Z][a-z]{0,20}|\d{0,6}", word) for word in words)


def _lines(text: str, pattern: re.Pattern[str]) -> list[int]:
    return sorted({text.count("\n", 0, match.start()) + 1 for match in pattern.finditer(text)})[:10]


CHECKS: tuple[Check[str], ...] = (
    ("identifiers", subject_identifiers),
    ("digits", long_digit_runs),
    ("blobs", encoded_data),
    ("characters", deceptive_characters),
)


def check_text(file: str, text: str, checks: tuple[Check[str], ...], t: Thresholds) -> list[Finding]:
    """Run ``checks`` on a text; for a text that is too long, only the finding of its length is given."""
    findings = run_checks(file, text, (("length", length),), t)
    return (
        findings
        if any(each.outcome is Outcome.FAIL for each in findings)
        else findings + run_checks(file, text, checks, t)
    )


TABLE_CHECKS: tuple[Check[str], ...] = (("blobs", encoded_data), ("characters", deceptive_characters))
"""Checks of a table's whole text, in addition to the checks of its cells."""
