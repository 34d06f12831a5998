"""``lab.train``, ``lab.run`` and ``lab.runs``: request a training, follow its progress and read its results."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from credit.errors import Missing, Refused
from credit.messages import language_here
from lab.library import gateway_client
from lab.library.display import html, run_rows
from lab.library.display.result import Result
from lab.library.effects import Dependence, importance_of
from lab.library.order_wait import Wait, failure
from lab.library.orders import Draft
from models.order.order import Order

LABELS = {
    "start": "starting 开始",
    "sample": "computing features 计算特征",
    "search": "training 训练",
    "membership": "testing what the model remembers 检验模型记忆",
}
_ENDED = ("done", "failed", "cancelled")


class Run:
    """A training: its order, its state, and when done the evidence of its version."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    @property
    def id(self) -> str:
        """The order's id."""
        return str(self._data["id"])

    @property
    def short(self) -> str:
        """The id as people write it."""
        return self.id[:18]

    @property
    def model(self) -> str:
        """The model's name."""
        return str(self._data["model"])

    @property
    def title(self) -> str:
        """The title of the order."""
        return str(self._data.get("title", ""))

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the trees that the search chose, as on the card; empty before it is done."""
        return dict(self._data.get("parameters") or {})

    @property
    def state(self) -> str:
        """waiting, running, done, failed or cancelled, when last refreshed."""
        return str(self._data["state"])

    @property
    def version(self) -> str | None:
        """The version's id, once done."""
        version: str | None = self._data["version"]
        return version

    @property
    def evidence(self) -> dict[str, Any]:
        """The evidence (评估结果): auc with its limits, ks, brier, calibration, roc, points by grade, and more.

        Raises :class:`~credit.errors.Missing` before it is done.
        """
        evidence: dict[str, Any] = self._whole()["evidence"]
        return evidence

    def importance(self) -> Result:
        """Each feature's mean absolute contribution in points; raises :class:`~credit.errors.Missing` for old ones."""
        return importance_of(self.short, self.evidence)

    def dependence(self, name: str) -> Dependence:
        """How the points follow one feature, all else equal (partial dependence); ``.plot()`` draws it.

        Raises :class:`~credit.errors.Missing` for a feature that is not among the twenty that matter most.
        """
        return Dependence.of(name, self.evidence)

    @property
    def answered_for(self) -> dict[str, Any]:
        """The earlier ``order`` and its ``label``, for which this one was answered since its own differs in a few
        subjects only; empty where it was answered as it was placed."""
        answered_for: dict[str, Any] = self.evidence.get("answered_for", {})
        return answered_for

    @property
    def champion(self) -> ChampionRun:
        """The champion (在用版本) of the day of the training, on the rows of this order, as compute measured it.

        Raises :class:`~credit.errors.Missing` when the model had no other champion, and
        :class:`~credit.errors.Refused` with the reason when it could not be measured on these rows.
        """
        measured = self._whole().get("champion") or {}
        if not measured:
            raise Missing("training.no-champion", self_short=self.short)
        if "error" in measured:
            raise failure({"messages": measured["error"]})
        return ChampionRun(self, measured)

    @property
    def card(self) -> str:
        """The model card (模型说明书), as Markdown."""
        return str(self._whole()["card"])

    @property
    def release(self) -> str:
        """The id of the release that it was trained on; raises :class:`~credit.errors.Missing` before it is done."""
        return str(self._whole()["release"])

    def refresh(self) -> Run:
        """Read the current state."""
        self._data = gateway_client.get(f"/v1/orders/{self.id}")
        return self

    def cancel(self) -> Run:
        """Cancel the order."""
        self._data = gateway_client.post(f"/v1/orders/{self.id}/cancel")
        return self

    def watch(self) -> Run:
        """Show the progress until the end; an interrupt leaves the training running.

        Raises :class:`~credit.errors.Refused` with the reason when the training fails.
        """
        with _ProgressDisplay() as shown:
            try:
                while self.state not in _ENDED:
                    for data in gateway_client.lines(f"/v1/orders/{self.id}/events"):
                        self._data = data
                        shown.update(self)
            except KeyboardInterrupt:
                shown.show_line(
                    f"The training goes on. lab.run({self.short!r}).watch() comes back to it, .cancel() ends it."
                )
                return self
            shown.update(self)
        if self.state == "failed":
            refusal = failure(self._data["error"])
            cause = refusal.message.render(language_here())
            raise Refused("training.training-failed", why=refusal.reason, remedy=refusal.advice, cause=cause)
        if self.state == "done" and (near := self.answered_for):
            shown.show_line(
                f"Answered for the label of the earlier order {near['order'][:18]}, from which yours differs in a few "
                "subjects only. 按较早订单的违约定义答复：与您的定义仅相差少数主体。"
            )
        return self

    def _whole(self) -> dict[str, Any]:
        if "evidence" not in self._data:
            self.refresh()
        if "evidence" not in self._data:
            raise Missing("training.no-evidence", self_short=self.short, state=self.state)
        return self._data

    def __repr__(self) -> str:
        return html.text_table(run_rows.HEAD, [run_rows.row(self._data)])

    def _repr_html_(self) -> str:
        if self.state == "running":
            return html.progress(_words(self._data, Wait()), self._data["done"], self._data["total"])
        return html.table(run_rows.HEAD, [run_rows.row(self._data)])


class ChampionRun:
    """The champion on the rows of a run. ``gain`` is the run's AUC less the champion's, ``{auc, low, high}``."""

    def __init__(self, compared: Run, measured: Mapping[str, Any]) -> None:
        self.version, self.model, self.release = (
            str(measured["version"]),
            f"{compared.model} champion",
            compared.release,
        )
        self.evidence: dict[str, Any] = dict(measured["evidence"])
        self.gain: dict[str, float] = dict(measured["gain"])

    def __repr__(self) -> str:
        low, high = self.gain["low"], self.gain["high"]
        return (
            f"champion 在用版本 {self.version[:20]}: AUC {self.evidence['auc']:.3f} on the same rows; "
            f"gain of the run {self.gain['auc']:+.3f} ({low:+.3f} to {high:+.3f})"
        )


class Runs(list[Run]):
    """The project's trainings, the newest first."""

    def __repr__(self) -> str:
        return html.text_table(run_rows.HEAD, [run_rows.row(run._data) for run in self]) if self else "no training yet"

    def _repr_html_(self) -> str:
        rows = [run_rows.row(run._data) for run in self]
        return (
            html.table(run_rows.HEAD, rows, caption=f"Trainings 训练任务 ({len(self)})")
            if self
            else html.note(repr(self))
        )

    def done(self) -> Runs:
        """The runs that produced a version."""
        return Runs(run for run in self if run.state == "done")


def train(order: Draft | Order, *, release: str = "", wait: bool = True) -> Run:
    """Request the training of an order on records and follow it; the same order again is the same training.

    ``release`` is one of ``lab.releases()``, by default the newest. With ``wait=False`` it returns the run at once. An
    interrupt (Ctrl-C, the stop button) leaves the training running. Raises :class:`~credit.errors.Refused` for tables
    not granted, or when the training failed, with the reason.

    >>> import lab
    >>> mine = "SELECT subject, count(*) AS penalties FROM administrative_penalty GROUP BY subject"
    >>> run = lab.train(lab.order(sql=mine, keep=[]), wait=False)
    >>> run.model, run.state, run.cancel().state
    ('enterprise', 'waiting', 'cancelled')
    """
    run = Run(gateway_client.post("/v1/orders", {"order": order.as_json(), "release": release}))
    return run.watch() if wait and run.state not in _ENDED else run


def run(id: str) -> Run:
    """A training of this project by the id of its order, or an unambiguous prefix of it."""
    return Run(gateway_client.get(f"/v1/orders/{quote(id, safe='')}"))


def runs() -> Runs:
    """The project's trainings, the newest first.

    >>> import lab
    >>> isinstance(lab.runs(), list)
    True
    """
    return Runs(Run(data) for data in gateway_client.get("/v1/orders"))


def _words(data: dict[str, Any], wait: Wait) -> str:
    if data["state"] == "waiting":
        return wait.words(data)
    return LABELS.get(data["label"], data["label"]) if data["state"] == "running" else str(data["state"])


class _ProgressDisplay:
    """Displays progress: one display that is updated in a notebook, lines of text elsewhere."""

    def __enter__(self) -> _ProgressDisplay:
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        self._handle: Any = None
        self._last, self._wait = "", Wait()
        if getattr(shell, "kernel", None) is not None:
            shown: Any = importlib.import_module("IPython.display")
            show, self._html = shown.display, shown.HTML
            self._handle = show(self._html(html.progress(self._wait.words({}), 0, 0)), display_id=True)
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, run: Run) -> None:
        """Show the state of a run."""
        data = run._data
        if self._handle is not None:
            ended = run.state in _ENDED
            shown = run._repr_html_() if ended else html.progress(_words(data, self._wait), data["done"], data["total"])
            self._handle.update(self._html(shown))
            return
        tenth = 10 * data["done"] // data["total"] if data["total"] else 0
        line = f"{run.short}  {_words(data, self._wait)}" + (f"  {10 * tenth} %" if data["total"] else "")
        self.show_line(line)

    def show_line(self, line: str) -> None:
        """Show a line, unless it equals the last one."""
        if self._handle is not None:
            self._handle.update(self._html(html.note(line)))
        elif line != self._last:
            print(line, flush=True)
        self._last = line


def require_done(runs: Iterator[Run]) -> list[Run]:
    """These runs, refreshed; raises :class:`~credit.errors.Missing` for a run that is not done."""
    refreshed = [one.refresh() for one in runs]
    for one in refreshed:
        if one.state != "done":
            raise Missing("training.no-evidence-2", one_short=one.short, state=one.state)
    return refreshed
