"""Installed by ``import lab`` in a notebook: the magic ``%%features``, readable errors, the report of tables read."""

from __future__ import annotations

from typing import Any

from credit.errors import CreditError
from lab.kernel import no_installs
from lab.library import read_report
from lab.library.stopped_waiting import StoppedWaiting


def install(shell: Any) -> None:
    """Install all three in a shell, once."""
    if getattr(shell, "_lab_installed", False):
        return
    shell._lab_installed = True
    shell.register_magic_function(lambda line, cell: magic(shell, line, cell), "cell", "features")
    shell.set_custom_exc((CreditError, ModuleNotFoundError, StoppedWaiting), _in_words)
    shell.events.register("post_run_cell", lambda _: read_report.send_report(shell))


def magic(shell: Any, line: str, cell: str) -> Any:
    """``%%features [name] [--as-of YYYY-MM-DD]``: check the cell's feature SQL, keep it under a name, and show it.

    The result of :func:`lab.check` is stored in the variable ``name`` (default ``sql``), for ``lab.order(sql=name)``.
    """
    from credit.errors import Malformed
    from credit.messages import Text
    from lab.library.features import check, features

    words = line.split()
    day = None
    if "--as-of" in words:
        place = words.index("--as-of")
        if place + 1 == len(words):
            raise Malformed("ipython.as-no-day")
        day = words[place + 1]
        del words[place : place + 2]
    name = words[0] if words else "sql"
    if len(words) > 1 or not name.isidentifier():
        raise Malformed("ipython.not-name", why=Text.verbatim(" ".join(words)[:40]))
    checked = check(cell)
    shell.user_ns[name] = checked
    return features(checked, day)


def _in_words(
    shell: Any,
    kind: type[BaseException],
    error: CreditError | ModuleNotFoundError | StoppedWaiting,
    trace: Any,
    tb_offset: Any = None,
) -> list[str]:
    """Show what, why and what to do, without the stack trace. It stays an error: a run of all cells stops.

    A module that is not there is shown as Python does, with what to do about it.
    """
    from credit.messages import Text, language_here

    if isinstance(error, ModuleNotFoundError):
        hint = no_installs.hint_of(error)
        frames = [*shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset)]
        frames += [hint] if hint else []
        shell._showtraceback(kind, error, frames)
        return frames
    refusal, language = error.words if isinstance(error, StoppedWaiting) else error, language_here()
    lines = [refusal.text("what", language)]
    if why := refusal.text("why", language):
        lines.append(Text.of("ipython.reason", words=why).render(language))
    if remedy := refusal.text("remedy", language):
        lines.append(Text.of("ipython.next-step", words=remedy).render(language))
    shell._showtraceback(kind, error, lines)
    return lines
