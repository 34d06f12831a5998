"""The format of models (模型格式): a file names a version or a run; what leaves is a copy that we write from the shelf.

A bare text of LightGBM has no format, and does not leave: only compute knows what its numbers were made from.
"""

from __future__ import annotations

from dataclasses import dataclass

from credit.messages import Text
from lab.airlock.files import text as texts
from lab.airlock.issue import Issue, fail, review, run_checks
from lab.airlock.kinds.file_format import ModelFindings, ReadFile
from lab.airlock.kinds.models.model_checks import CHECKS
from lab.airlock.kinds.models.model_copy import ModelCopy, ModelShelf
from lab.airlock.kinds.models.model_name import read_name, written_name
from lab.airlock.kinds.shown import FactsBlock, Shown, TableBlock, TextBlock
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds

_NAMES = (("names", texts.subject_identifiers), ("name characters", texts.deceptive_characters))
_COLUMNS = ("feature", "splits", "lowest cut", "highest cut")


@dataclass(frozen=True, slots=True)
class ModelFormat:
    """Models by their names on a shelf; None where versions cannot be looked up, as in a workspace."""

    shelf: ModelShelf | None = None

    def read(self, content: bytes, t: Thresholds) -> ReadFile[ModelCopy] | Issue:
        """The copy of the version that a file names, or the issue with the file or the version."""
        named = read_name(content)
        if isinstance(named, Issue):
            return named
        if self.shelf is None:
            return review(Text.of("airlock.not-seen-here"), Text.of("airlock.submit"))
        copy = self.shelf.find(named.id, t)
        if isinstance(copy, Issue):
            return copy
        if named.copy and named.copy != copy.id:
            return fail(Text.of("airlock.copy-differs"), Text.of("airlock.submit-again"))
        return ReadFile(copy, {} if named.copy else {"airlock.rewritten-model": copy.trees})

    def judge(self, name: str, model: ModelCopy, about: FileDescription, t: Thresholds) -> ModelFindings:
        """The checks of a model, and those of its features' names."""
        names = texts.check_text(name, "\n".join(model.names), _NAMES, t)
        return ModelFindings((*run_checks(name, model, CHECKS, t), *names))

    def show(self, model: ModelCopy) -> Shown:
        """Facts, features, what they are in SQL (which does not leave), and the whole text of the copy."""
        rows = tuple((each.name, str(each.splits), f"{each.lowest:g}", f"{each.highest:g}") for each in model.features)
        blocks = (
            FactsBlock(_facts(model)),
            TableBlock(_COLUMNS, rows, label="features"),
            TextBlock("sql", model.sql),
            TextBlock("model", tuple(model.text.splitlines())),
        )
        return Shown(blocks, int(model.chosen.total + 7) // 8)

    def write(self, name: str, model: ModelCopy) -> dict[str, bytes]:
        """The file that says what left, which is stored, and the copy's text beside it."""
        stem = name.rpartition(".")[0]
        return {f"{stem}.json": written_name(model.version, model.id), f"{stem}.txt": model.text.encode()}


def _facts(model: ModelCopy) -> tuple[tuple[str, str], ...]:
    figures, (decimals, digits) = model.figures, model.digits
    return (
        ("version", model.version),
        ("copy", model.id),
        ("in_production", "✓" if model.in_production else "–"),
        ("trees", str(model.trees)),
        ("leaves", str(model.leaves)),
        ("features", str(len(model.features))),
        ("leaf_decimals", str(decimals)),
        ("threshold_digits", str(digits)),
        ("smallest_leaf_subjects", str(model.smallest_leaf)),
        ("smallest_leaf", str(model.smallest_rows)),
        ("auc", f"{_figure(figures.auc)} ({_figure(figures.auc_low)} – {_figure(figures.auc_high)})"),
        ("membership_all", _figure(figures.membership_all)),
        ("membership_defaulted", _figure(figures.membership_defaulted)),
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
