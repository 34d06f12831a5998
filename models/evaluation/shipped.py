"""The evaluations that are shipped, and a city's own: YAML files that replace them, of the same form."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml

from credit.errors import Malformed, Missing
from credit.messages import Text
from models.scoring.evaluation.declaration import Evaluation, read_evaluation

DECLARATIONS = Path(__file__).with_name("declarations")
KINDS = ("enterprise", "individual_business")


def evaluation_of(kind: str, folder: Path | None = None) -> Evaluation:
    """The evaluation of a kind of subjects.

    Raises :class:`Missing` for another kind, and :class:`Malformed` for a declaration that cannot be read.
    """
    return _load((folder or DECLARATIONS) / f"{kind}.yaml") if kind in KINDS else _missing(kind)


@lru_cache(maxsize=8)
def _load(path: Path) -> Evaluation:
    if not path.is_file():
        _missing(path.stem)
    try:
        return read_evaluation(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        why = Text.verbatim(type(error).__name__)
        raise Malformed("evaluation.not-yaml", why=why, path_name=path.name) from error


def _missing(kind: str) -> Evaluation:
    raise Missing("evaluation.no-such", kind=kind, kinds=", ".join(KINDS))
