"""Two processes share the tests that need servers: hubs and browsers mostly wait, and trainings compute meanwhile.

A folder whose tests share a server (a hub, a console, a database) runs in one process, so each starts once.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling


class FolderScheduling(LoadScopeScheduling):
    """Gives each process a folder at a time, the one with most tests first."""

    def _split_scope(self, nodeid: str) -> str:
        return folder_of(nodeid)


def folder_of(nodeid: str) -> str:
    """The folder whose tests run in one process: `models` and whatever shares its Ray and MLflow, or one with a hub."""
    _, *parts = nodeid.partition("::")[0].split("/")
    if parts[0] in ("models", "journey", "docs") or parts[:2] == ["lab", "library"]:
        return "models"
    return "/".join(parts[:-1][:2]) if parts[0] in ("lab", "infra") else parts[0]
