"""What results were made from (来源): the seals that a parcel names, from the objects of the notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from credit.errors import Malformed
from lab.library.comparison import Comparison
from lab.library.display.result import Result
from lab.library.training import Run
from lab.library.workspace_data import practice

Source = Result | Run | Comparison | str


def seals_of(sources: Source | Sequence[Source]) -> tuple[str, ...]:
    """The ids of the seals, each once: of rows and tables theirs, of trainings the releases they read, of a practice
    result its tables, of a text itself.

    Raises :class:`Malformed` for none and for another object, and :class:`Missing` for a training that is not done.
    """
    given = [sources] if isinstance(sources, Source) else list(sources)
    if not given:
        raise Malformed("sources.none")
    return tuple(dict.fromkeys(seal for each in given for seal in _seals(each)))


def _seals(source: Source) -> Iterable[str]:
    match source:
        case Result() if source.seal:
            return [source.seal]
        case Run():
            return [source.release]
        case Comparison():
            return [run.release for run in source.runs]
        case Result():
            return [practice().id]
        case str():
            return [source]
    raise Malformed("sources.not-a-source", kind=type(source).__name__)
