"""The checks of the release gate (去标识化效果评估, GB/T 42460-2023): plain functions of the data to be disclosed.

They need no database: the lab runs the same checks on the results that a researcher wants to take out. The evidence
consists of names of tables and columns and of counts, never of a value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from credit.errors import Malformed
from credit.gate import Finding, Gate, Outcome
from credit.messages import Text
from credit.uscc import ALPHABET, Uscc

PSEUDONYM = re.compile(r"[0-9a-f]{32}")
_USCC = re.compile(rf"(?=([{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}))")
_PERSON = re.compile(r"(?=([1-9][0-9]{16}[0-9X]))")
_PHONE = re.compile(r"(?<![0-9])(?:\+?86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}(?![0-9])")
_BETWEEN = re.compile(r"(?<=[0-9A-Z])[ \-–—·._/]{1,3}(?=[0-9A-Z])")
_PERSON_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_NAMED = re.compile(
    r"uscc|.*(^|_)(id_number|phone|telephone|mobile|email|address|subject_code|subject_name|representative|operator_name|"
    r"person_name|document_number|case_number|account_number|loan_number|contract_number|invoice_number|"
    r"certificate_number|registration_number)"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column to be disclosed. ``texts`` are its distinct values as text; ``role`` and ``rule`` are as declared.

    ``declared`` is False for a column that no catalogue has. ``cells`` counts subjects by value (quasi-identifiers).
    """

    name: str
    texts: Sequence[str] = ()
    role: str = "none"
    rule: str = "keep"
    declared: bool = True
    cells: Mapping[str, int] | None = None

    @property
    def is_pseudonym(self) -> bool:
        """True when all its values must be pseudonyms."""
        return self.rule in ("subject", "pseudonym")

    @property
    def is_shown(self) -> bool:
        """True for the rules ``show`` and ``show_text``: an inquiry shows the identifying value of a public record."""
        return self.rule in ("show", "show_text")


@dataclass(frozen=True, slots=True)
class DisclosedTable:
    """One table to be disclosed."""

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Disclosure:
    """All tables to be disclosed; ``classes`` are the numbers of subjects in each class of quasi-identifiers."""

    tables: tuple[DisclosedTable, ...]
    classes: Sequence[int] = ()


def k_anonymity(case: Disclosure, thresholds: Mapping[str, Any]) -> Finding:
    """Every class of quasi-identifiers has at least ``k`` subjects (k-匿名, GB/T 37964-2019)."""
    small = [size for size in case.classes if size < thresholds["k"]]
    evidence = {"smallest": min(case.classes, default=0), "classes": len(case.classes), "too_small": len(small)}
    why = Text.of("disclosure.small-classes", count=len(small), k=thresholds["k"])
    return _finding("k-anonymity", small, why, Text.of("disclosure.classes", k=thresholds["k"]), evidence)


def small_cells(case: Disclosure, thresholds: Mapping[str, Any]) -> Finding:
    """Every value of a quasi-identifier belongs to at least ``small_cell`` subjects, or is masked as ``*``."""
    least = thresholds["small_cell"]
    rare = {
        f"{table.name}.{column.name}": rare_count
        for table, column in _columns(case)
        if (rare_count := sum(n < least for value, n in (column.cells or {}).items() if value != "*"))
    }
    return _finding(
        "small cells",
        rare,
        Text.of("disclosure.small-cells", least=least, columns=_list(rare)),
        Text.of("disclosure.cells", least=least),
        rare,
    )


def no_identifier_by_name(case: Disclosure, thresholds: Mapping[str, Any]) -> Finding:
    """No column is a direct identifier by its role in the catalogue or by its name."""
    columns = [
        f"{table.name}.{column.name}"
        for table, column in _columns(case)
        if not (column.is_pseudonym or column.is_shown)
        and (column.role == "direct" or _NAMED.fullmatch(column.name.lower()))
    ]
    return _finding(
        "direct identifiers by name",
        columns,
        Text.of("disclosure.direct-identifiers", columns=_list(columns)),
        Text.of("disclosure.no-direct-identifiers"),
        {"columns": columns},
    )


def no_identifier_by_content(case: Disclosure, thresholds: Mapping[str, Any]) -> Finding:
    """No text contains a social credit code, an ID number or a mobile phone number, in any width or place.

    Public free text may contain the codes of firms but no person's number; public document numbers are not checked,
    because they are long numbers themselves.
    """
    matches: dict[str, dict[str, int]] = {}
    for table, column in _columns(case):
        if column.is_pseudonym or column.rule == "show":
            continue
        kinds = identifiers(column.texts)
        if column.rule == "show_text":
            kinds.pop("uscc", None)
        if kinds:
            matches[f"{table.name}.{column.name}"] = kinds
    return _finding(
        "direct identifiers by content",
        matches,
        Text.of("disclosure.identifiers-in-values", columns=_list(matches)),
        Text.of("disclosure.no-identifiers-in-values"),
        matches,
    )


def subjects_are_pseudonyms(case: Disclosure, thresholds: Mapping[str, Any]) -> Finding:
    """Subjects and other parties are 32 hexadecimal characters, and every table has a ``subject`` column."""
    columns = [
        f"{table.name}.{column.name}"
        for table, column in _columns(case)
        if column.is_pseudonym and not all(map(PSEUDONYM.fullmatch, column.texts))
    ]
    columns += [f"{table.name}.subject" for table in case.tables if all(c.name != "subject" for c in table.columns)]
    return _finding(
        "subjects are pseudonyms",
        columns,
        Text.of("disclosure.not-pseudonyms", columns=_list(columns)),
        Text.of("disclosure.pseudonyms"),
        {"columns": columns},
    )


def only_declared(case: Disclosure, thresholds: Mapping[str, Any]) -> Finding:
    """Every column is declared in the catalogue with a rule for this purpose."""
    undeclared = [f"{table.name}.{column.name}" for table, column in _columns(case) if not column.declared]
    return _finding(
        "declared columns",
        undeclared,
        Text.of("disclosure.undeclared", columns=_list(undeclared)),
        Text.of("disclosure.declared"),
        {"columns": undeclared},
    )


CHECKS = (
    k_anonymity,
    small_cells,
    no_identifier_by_name,
    no_identifier_by_content,
    subjects_are_pseudonyms,
    only_declared,
)


def release_gate(thresholds: Mapping[str, Any]) -> Gate[Disclosure]:
    """The gate that every release must pass; ``thresholds`` has ``k`` and ``small_cell``, both in subjects."""
    return Gate("release", CHECKS, thresholds)


def identifiers(texts: Iterable[str]) -> dict[str, int]:
    """The number of identifiers of each kind (``uscc``, ``id_number``, ``phone``) in ``texts``; empty without any."""
    plain = unicodedata.normalize("NFKC", "\n".join(text for text in texts if len(text) >= 11)).upper()
    counts = {"uscc": 0, "id_number": 0, "phone": sum(1 for _ in _PHONE.finditer(plain))}
    for form in {plain, _BETWEEN.sub("", plain)}:
        counts["uscc"] = max(counts["uscc"], sum(_is_uscc(match[1]) for match in _USCC.finditer(form)))
        counts["id_number"] = max(counts["id_number"], sum(_is_person(match[1]) for match in _PERSON.finditer(form)))
    return {kind: count for kind, count in counts.items() if count}


def _is_uscc(text: str) -> bool:
    try:
        Uscc.parse(text)
    except Malformed:
        return False
    return True


def _is_person(text: str) -> bool:
    """True for an ID number (公民身份号码, GB 11643-1999): an existing date and the right check character."""
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _PERSON_WEIGHTS, strict=False))
    return born.year >= 1880 and "10X98765432"[total % 11] == text[17]


def _columns(case: Disclosure) -> Iterable[tuple[DisclosedTable, Column]]:
    return ((table, column) for table in case.tables for column in table.columns)


def _finding(check: str, bad: Any, why: Text, good: Text, evidence: Mapping[str, Any]) -> Finding:
    return Finding.of(check, Outcome.FAIL if bad else Outcome.PASS, why if bad else good, evidence)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
