"""``lab.train``, ``lab.run`` and ``lab.runs``: a training is asked for, watched, come back to, and looked at."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

from credit.errors import Missing, Refused
from lab.library import gateway_client
from lab.library.display import html
from lab.library.orders import Draft
from lab.library.workspace_data import release
from models.order.order import Order

LABELS = {
    "": "waiting for the cluster 排队",
    "start": "starting 开始",
    "sample": "computing features 计算特征",
    "search": "training 训练",
}
_ENDED = ("done", "failed", "cancelled")


class Run:
    """A training: its order, where it stands, and, once done, the evidence of the version it made."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    @property
    def id(self) -> str:
        """The order's id."""
        return str(self._told["id"])

    @property
    def short(self) -> str:
        """The id as people write it."""
        return self.id[:18]

    @property
    def model(self) -> str:
        """The model's name."""
        return str(self._told["model"])

    @property
    def state(self) -> str:
        """waiting, running, done, failed or cancelled, as it was last heard."""
        return str(self._told["state"])

    @property
    def version(self) -> str | None:
        """The version's id, once done."""
        version: str | None = self._told["version"]
        return version

    @property
    def evidence(self) -> dict[str, Any]:
        """The evidence (评估结果): auc with its limits, ks, brier, calibration, roc, points by grade, and more.

        Raises :class:`~credit.errors.Missing` before it is done.
        """
        found: dict[str, Any] = self._whole()["evidence"]
        return found

    @property
    def card(self) -> str:
        """The model card (模型说明书), as Markdown."""
        return str(self._whole()["card"])

    def refresh(self) -> Run:
        """Ask again where it stands."""
        self._told = gateway_client.get(f"/v1/orders/{self.id}")
        return self

    def cancel(self) -> Run:
        """Take the order back."""
        self._told = gateway_client.post(f"/v1/orders/{self.id}/cancel")
        return self

    def watch(self) -> Run:
        """Show the progress until it has ended. Interrupted, the training goes on. Raises what made it fail."""
        with _Shown() as shown:
            try:
                while self.state not in _ENDED:
                    for told in gateway_client.lines(f"/v1/orders/{self.id}/events"):
                        self._told = told
                        shown.update(self)
            except KeyboardInterrupt:
                shown.say(f"The training goes on. lab.run({self.short!r}).watch() comes back to it, .cancel() ends it.")
                return self
            shown.update(self)
        if self.state == "failed":
            error = self._told["error"]
            raise Refused("training.training-failed", remedy=error.get("remedy", ""), cause=error["what"])
        return self

    def _whole(self) -> dict[str, Any]:
        if "evidence" not in self._told:
            self.refresh()
        if "evidence" not in self._told:
            raise Missing("training.no-evidence", self_short=self.short, state=self.state)
        return self._told

    def __repr__(self) -> str:
        return html.text_table(_HEAD, [_row(self)])

    def _repr_html_(self) -> str:
        if self.state == "running":
            return html.progress(_words(self._told), self._told["done"], self._told["total"])
        return html.table(_HEAD, [_row(self)])


class Runs(list[Run]):
    """The project's trainings, the newest first."""

    def __repr__(self) -> str:
        return html.text_table(_HEAD, [_row(run) for run in self]) if self else "no training yet"

    def _repr_html_(self) -> str:
        rows = [_row(run) for run in self]
        return html.table(_HEAD, rows, caption=f"Trainings 训练任务 ({len(self)})") if self else html.note(repr(self))

    def done(self) -> Runs:
        """Those that made a version."""
        return Runs(run for run in self if run.state == "done")


def train(order: Draft | Order, *, wait: bool = True) -> Run:
    """Ask for the training of an order and watch it; the same order again is the same training.

    With ``wait=False`` it gives the run at once. Interrupting (Ctrl-C, the stop button) leaves the training running.
    Raises :class:`~credit.errors.Refused` for tables not granted, or when the training failed, with the reason.

    >>> import lab
    >>> mine = "SELECT subject, count(*) AS penalties FROM administrative_penalty GROUP BY subject"
    >>> run = lab.train(lab.order(sql=mine, keep=[]), wait=False)
    >>> run.model, run.state, run.cancel().state
    ('enterprise', 'waiting', 'cancelled')
    """
    run = Run(gateway_client.post("/v1/orders", {"order": order.as_json(), "release": release().id}))
    return run.watch() if wait and run.state not in _ENDED else run


def run(id: str) -> Run:
    """A training of this project by its order's id, or the beginning of it."""
    return Run(gateway_client.get(f"/v1/orders/{id}"))


def runs() -> Runs:
    """The project's trainings, the newest first.

    >>> import lab
    >>> isinstance(lab.runs(), list)
    True
    """
    return Runs(Run(told) for told in gateway_client.get("/v1/orders"))


_HEAD = ("order", "model 模型", "by", "state 状态", "step", "asked 提交时间", "version")


def _row(run: Run) -> tuple[str, ...]:
    told = run._told
    step = f"{told['label']} {told['done']}/{told['total']}" if run.state == "running" else ""
    at = html.minute(told["asked_at"])
    error = (told["error"] or {}).get("what", "")
    return (run.short, run.model, told["asked_by"], run.state, step or error[:60], at, (run.version or "")[:20])


def _words(told: dict[str, Any]) -> str:
    if told["state"] == "waiting":
        return LABELS[""]
    return LABELS.get(told["label"], told["label"]) if told["state"] == "running" else str(told["state"])


class _Shown:
    """Progress where it is read: one display that is updated in a notebook, plain lines elsewhere."""

    def __enter__(self) -> _Shown:
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        self._handle: Any = None
        self._last = ""
        if getattr(shell, "kernel", None) is not None:
            shown: Any = importlib.import_module("IPython.display")
            show, self._html = shown.display, shown.HTML
            self._handle = show(self._html(html.progress(LABELS[""], 0, 0)), display_id=True)
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, run: Run) -> None:
        """Show where a run stands."""
        told = run._told
        if self._handle is not None:
            ended = run.state in _ENDED
            shown = run._repr_html_() if ended else html.progress(_words(told), told["done"], told["total"])
            self._handle.update(self._html(shown))
            return
        tenth = 10 * told["done"] // told["total"] if told["total"] else 0
        line = f"{run.short}  {_words(told)}" + (f"  {10 * tenth} %" if told["total"] else "")
        self.say(line)

    def say(self, line: str) -> None:
        """A line, unless it was the last one too."""
        if self._handle is not None:
            self._handle.update(self._html(html.note(line)))
        elif line != self._last:
            print(line, flush=True)
        self._last = line


def each_done(runs: Iterator[Run]) -> list[Run]:
    """These runs, refreshed; raises :class:`~credit.errors.Missing` for one that is not done."""
    found = [one.refresh() for one in runs]
    for one in found:
        if one.state != "done":
            raise Missing("training.no-evidence-2", one_short=one.short, state=one.state)
    return found
