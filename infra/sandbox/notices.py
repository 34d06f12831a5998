"""Notices (提示) of a workspace to its person: what is nearly used up, how much, and what to do; and what has ended.

The supervisor measures and says; the workspace's server shows them in the browser. The texts are short, since
JupyterLab cuts a notice after 140 characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from credit.messages import Text
from credit.settings import BEIJING
from infra.sandbox.bubblewrap import Limits

NEAR, AGAIN = 0.8, 0.7  # shares of a limit: from the first on it is said, below the second it may be said again
ENDS_SOON = (30, 5)  # minutes before the end of a workspace
KEPT = 20  # ends of kernels that are kept


@dataclass(slots=True)
class Notices:
    """The notices of one workspace, in the language of its person. Each has an id, and is shown once for it."""

    limits: Limits
    language: str = "en"
    _shown: dict[str, tuple[int, str]] = field(default_factory=dict)  # kind: its number and text, while it holds
    _ended: list[dict[str, Any]] = field(default_factory=list)
    _count: int = 0

    def memory(self, used: int) -> None:
        """The bytes of memory that the kernels hold together."""
        self._level(
            "memory", used, self.limits.memory, Text.of("notices.memory", **_mebibytes(used, self.limits.memory))
        )

    def home(self, used: int) -> None:
        """The bytes that the home holds."""
        self._level("home", used, self.limits.home, Text.of("notices.home", **_mebibytes(used, self.limits.home)))

    def time(self, seconds: float, now: datetime | None = None) -> None:
        """The seconds after which the workspace ends."""
        for minutes in ENDS_SOON:
            kind = f"time-{minutes}"
            if kind not in self._shown and 0 < seconds <= minutes * 60:
                end = (now or datetime.now(BEIJING)) + timedelta(seconds=seconds)
                self._show(kind, Text.of("notices.time", at=end.astimezone(BEIJING).strftime("%H:%M")))

    def kernels(self, most: int, *, all_run: bool, waiting: int, minutes: int) -> None:
        """Whether as many kernels run as may at once, and how many requests wait for one, so many minutes at most."""
        full = Text.of("notices.kernels-all-run", most=most)
        self._while("kernels", full, all_run and not waiting)
        self._while("waiting", Text.of("notices.kernel-waiting", most=most, minutes=minutes), waiting > 0)

    def ended(self, kernel: str, why: Text) -> None:
        """A kernel was ended by a limit."""
        text = Text.of("notices.kernel-ended", why=why).render(self.language)
        self._ended = [*self._ended, {"id": f"ended-{self._number()}", "text": text, "kernel": kernel}][-KEPT:]

    def current(self) -> list[dict[str, Any]]:
        """What holds now and what has ended: ``{"id", "text"}``, with the ``kernel`` that has ended."""
        return [{"id": f"{kind}-{number}", "text": text} for kind, (number, text) in self._shown.items()] + self._ended

    def _level(self, kind: str, used: int, most: int, text: Text) -> None:
        if used >= NEAR * most and kind not in self._shown:
            self._show(kind, text)
        elif used < AGAIN * most:
            self._shown.pop(kind, None)

    def _while(self, kind: str, text: Text, holds: bool) -> None:
        if holds and kind not in self._shown:
            self._show(kind, text)
        elif not holds:
            self._shown.pop(kind, None)

    def _show(self, kind: str, text: Text) -> None:
        self._shown[kind] = (self._number(), text.render(self.language))

    def _number(self) -> int:
        self._count += 1
        return self._count


def _mebibytes(used: int, most: int) -> Mapping[str, int]:
    return {"used": used >> 20, "most": most >> 20}
