"""``lab.register`` and ``lab.champion``: request that a version is judged, and compare with what is in production."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from credit.errors import Refused
from credit.gate import Finding
from credit.messages import Text, language_here
from lab.library import gateway_client
from lab.library.display import html
from lab.library.order_wait import failure
from lab.library.training import ChampionRun, Run
from lab.library.training import run as find

PATH = "/v1/promotions"
_STATES = {
    "never": Text.of("promotion-state.never"),
    "waiting": Text.of("promotion-state.waiting"),
    "not_registered": Text.of("promotion-state.not-registered"),
    "requested": Text.of("promotion-state.requested"),
    "approved": Text.of("promotion-state.approved"),
    "refused": Text.of("promotion-state.refused"),
    "promoted": Text.of("promotion-state.promoted"),
    "replaced": Text.of("promotion-state.replaced"),
}


class PromotionRequest:
    """How far the promotion of a version is; ``refresh()`` reads it again."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    @property
    def version(self) -> str:
        """The id of the version."""
        return str(self._data["version"])

    @property
    def state(self) -> str:
        """``never, waiting, not_registered, requested, approved`` (by one of two)``, refused, promoted`` or
        ``replaced``."""
        return str(self._data["state"])

    @property
    def findings(self) -> list[Finding]:
        """What the gate found at its last verdict, check by check; empty before one."""
        return [Finding.read({**each, "evidence": {}}) for each in self._data["findings"]]

    def refresh(self) -> PromotionRequest:
        """Read the current state."""
        self._data = gateway_client.get(f"{PATH}/{quote(str(self._data['id']))}")
        return self

    def _lines(self) -> list[str]:
        language = language_here()
        lines = [f"{self.version[:20]}: {_STATES[self.state].render(language)}"]
        if self._data["reason"]:
            lines.append(str(self._data["reason"]))
        if self._data["messages"]:
            refusal = failure({"messages": self._data["messages"]})
            lines += [each for each in (refusal.text(part, language) for part in ("what", "why", "remedy")) if each]
        return lines

    def __repr__(self) -> str:
        language = language_here()
        rows = [f"  {each.outcome:6} {each.check}: {each.reason(language)}" for each in self.findings]
        return "\n".join([*self._lines(), *rows])

    def _repr_html_(self) -> str:
        language = language_here()
        rows = [(str(each.outcome), each.check, each.reason(language)) for each in self.findings]
        shown = [f"<p>{html.esc(each)}</p>" for each in self._lines()]
        return html.block(*shown, *([html.table(("", "", ""), rows)] if rows else []))


class ModelChampion:
    """The version of a model in production (在用版本), to compare a run with: ``lab.compare(run, champion)``."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.model, self.version, self.title = (str(data[name]) for name in ("model", "version", "title"))
        self.features: list[str] = list(data["features"])
        self.made_at = str(data["made_at"])

    def on_rows_of(self, run: Run | str) -> ChampionRun:
        """This champion on the rows of a run, paired, as compute measured it when the run was trained.

        Raises :class:`~credit.errors.Missing` when there was no champion then, and :class:`~credit.errors.Refused`
        when another version is in production since.
        """
        trained = find(run) if isinstance(run, str) else run
        measured = trained.champion
        if measured.version != self.version:
            raise Refused("promotion-state.another-champion", run=trained.short)
        return measured

    def __repr__(self) -> str:
        return f"{self.model}: {self.version[:20]} {self.title}, {len(self.features)} features, {self.made_at[:10]}"


def register(run: Run | str, note: str = "") -> PromotionRequest:
    """Request that the version of a run is promoted (申请上线); with a ``note`` for those who judge it.

    The platform's gate measures it again, and people who had no part in it decide. The result comes back here:
    ``register(run).refresh()`` shows the state and the verdict, and a repetition requests nothing twice. Raises
    :class:`~credit.errors.Missing` for a run that is not done, and :class:`~credit.errors.Refused` for a note that is
    more than plain words.
    """
    trained = find(run) if isinstance(run, str) else run
    return PromotionRequest(gateway_client.post(PATH, {"run": trained.id, "note": note}))


def champion(model: str) -> ModelChampion:
    """The version of a model in production; raises :class:`~credit.errors.Missing` without one.

    ``lab.compare(run, lab.champion("enterprise"))`` shows both on the same rows, and
    ``lab.champion("enterprise").on_rows_of(run).gain`` is the paired difference in AUC with its limits.
    """
    return ModelChampion(gateway_client.get(f"/v1/champions/{quote(model, safe='')}"))
