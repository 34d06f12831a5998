"""The checks of a text as a whole (全文检查): words, counts in sentences, identifiers, and the tables in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from credit.messages import Text
from lab.airlock.checks.exact_numbers import numbers_in_text
from lab.airlock.checks.table_judging import judge_tables
from lab.airlock.files import text as texts
from lab.airlock.files.table_reading import tables_in_text
from lab.airlock.grid import Grid
from lab.airlock.issue import Check, Issue, fail, review, run_checks
from lab.airlock.kinds.file_format import ModelFindings
from lab.airlock.kinds.texts.counts_in_words import small_counts_in_words
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds
from lab.airlock.words.unreadable import unreadable_bits


@dataclass(frozen=True, slots=True)
class WholeText:
    """A text as it is written, its sentences alone, the bits of its form, and the description of its file.

    ``sentences`` has no number that stands in the cell of a table, since tables are judged as such.
    """

    text: str
    sentences: str
    choices: float
    about: FileDescription


def words_only(case: WholeText, t: Thresholds) -> Iterator[Issue]:
    """What is not words is short in the whole file, whatever its alphabet and its lines: it could be data."""
    bits = unreadable_bits(case.sentences, case.choices)
    limit = t["unreadable_bits_at_most"]
    if bits.total > limit:
        fails = (
            bits.passed_over > limit
            or bits.total - bits.numbers_and_names >= t["unreadable_bits_fail_from"]
            or bits.total > t["numbers_and_names_bits_at_most"]
        )
        kinds = {kind.replace(" ", "_"): round(value) for kind, value in bits.by_kind.items() if value}
        examples = Text.verbatim(", ".join(bits.examples) or "-")
        values = {"bits": round(bits.total), "limit": limit, "examples": examples}
        if fails:
            yield fail(Text.of("airlock.unreadable", **values), Text.of("airlock.unreadable-fix"), **kinds)
        else:
            yield review(Text.of("airlock.odd-words", **values), Text.of("airlock.odd-words-fix"), **kinds)


def few_in_words(case: WholeText, t: Thresholds) -> Iterator[Issue]:
    """No sentence counts a few subjects, in whatever numerals."""
    return small_counts_in_words(case.text, case.about, t)


CHECKS: tuple[Check[WholeText], ...] = (("words", words_only), ("counts in words", few_in_words))


def judge_text(
    name: str, case: WholeText, tables: Sequence[Grid], t: Thresholds, words: str = "", code: str = ""
) -> ModelFindings:
    """The findings on a text and the tables in it; ``words`` and ``code`` are the text without those ``tables``."""
    findings = texts.check_text(name, case.text, texts.CHECKS, t)
    findings += run_checks(name, case, CHECKS, t)
    outside = "\n\n".join(filter(None, (words, code)))
    grids = [*tables, *tables_in_text(outside, t["table_lines_at_least"])]
    in_tables, cases = judge_tables(name, grids, case.about, t)
    in_words = numbers_in_text(words, code, case.about)
    return ModelFindings((*findings, *in_tables), cases if in_words is None else (*cases, in_words))
