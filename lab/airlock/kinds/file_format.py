"""The seam of the airlock's formats (格式接口): what leaves is written by us, from a model that was judged and shown.

The submitted bytes of a file never leave. A strict reader turns them into a small immutable model; the findings, the
reviewer's page, the comparison with earlier parcels and the files that leave all come from the model alone. Hence the
law of every format, for any bytes ``x`` that are read: ``read(write(read(x))) == read(x)``; whatever is done to ``x``
without changing the model changes nothing in what leaves; and unequal models are shown as unequal pages.

Spelling that ordinary writers make differently (line ends, quoting, trailing zeros) has one spelling in the model, and
the reader counts what it spelled otherwise. Content for which the model has no place is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from credit.gate import Finding
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.issue import Issue
from lab.airlock.kinds.shown import Shown
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds

ModelT = TypeVar("ModelT")


@dataclass(frozen=True, slots=True)
class ReadFile(Generic[ModelT]):
    """A model, immutable and compared by value, and what is spelled otherwise in it: a message's id and how often."""

    model: ModelT
    rewritten: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelFindings:
    """The findings on a model, and the tables in it, which are compared with those of other files and parcels."""

    findings: tuple[Finding, ...]
    tables: tuple[TableCase, ...] = ()


class FileFormat(Protocol[ModelT]):
    """One format: how its files are read, judged, shown and written. An object may hold look-ups that it needs."""

    def read(self, content: bytes, t: Thresholds) -> ReadFile[ModelT] | Issue:
        """The model of a file, or the issue that keeps the file inside; no bytes raise an error."""
        ...

    def judge(self, name: str, model: ModelT, about: FileDescription, t: Thresholds) -> ModelFindings:
        """The findings on a model; they name the file as ``name``."""
        ...

    def show(self, model: ModelT) -> Shown:
        """Everything that a reviewer sees of a model: unequal models are shown unequally."""
        ...

    def write(self, name: str, model: ModelT) -> dict[str, bytes]:
        """The files that leave, by name; the first is the main form: it is stored, and read back to the same model."""
        ...
