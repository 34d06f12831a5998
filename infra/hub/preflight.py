"""Whether this machine can run the hub: the checks of the sandbox, and whether the proxy is installed."""

from __future__ import annotations

from credit.errors import Refused
from credit.messages import Text
from infra.hub.proxy import files
from infra.sandbox import preflight as sandbox
from infra.sandbox.bubblewrap import Mode
from infra.sandbox.preflight import Check, mode_here

__all__ = ["Check", "checks", "mode_here", "require"]


def checks(mode: Mode) -> list[Check]:
    """Every check, in the order in which failures should be corrected."""
    return [*sandbox.checks(mode), _proxy()]


def require(mode: Mode) -> None:
    """Raise :class:`Refused` with the first requirement that is not met: without a sandbox no workspace starts."""
    for check in checks(mode):
        if check.needed and not check.fine:
            raise Refused(
                "preflight.machine-cannot-shut-workspace-in",
                why=Text.verbatim(check.result),
                remedy=Text.verbatim(check.fix),
                question=check.question,
            )


def _proxy() -> Check:
    lacking = [file for file in files() if not file.exists()]
    return Check(
        "the proxy", not lacking, "installed" if not lacking else f"{len(lacking)} files are not there", "make install"
    )
