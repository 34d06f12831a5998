"""``lab.releases``: the releases of records on which compute carries orders out. None of them is in a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from credit.errors import Missing
from lab.library import gateway_client
from lab.library.display import html
from lab.library.display.result import MARK

_HEAD = ("release 数据发布", "as of 数据日期", "ends on 截止", "granted tables 授权", "")


@dataclass(frozen=True, slots=True)
class Release:
    """A release of records, which compute alone reads. ``tables`` are the granted ones in it."""

    id: str
    as_of: date
    expires_on: date
    invented: bool
    tables: tuple[str, ...]


class Releases(list[Release]):
    """The releases on which ``lab.rows`` and ``lab.train`` are carried out, the newest first."""

    def __repr__(self) -> str:
        return html.text_table(_HEAD, self._shown()) if self else "no release of records yet"

    def _repr_html_(self) -> str:
        return html.table(_HEAD, self._shown()) if self else html.note(repr(self))

    def _shown(self) -> list[tuple[str, ...]]:
        return [
            (each.id[:20], str(each.as_of), str(each.expires_on), str(len(each.tables)), MARK if each.invented else "")
            for each in self
        ]


def releases() -> Releases:
    """The releases of records on which compute carries out ``lab.rows`` and ``lab.train``; none is in a workspace.

    >>> import lab
    >>> lab.releases()[0].as_of
    datetime.date(2026, 3, 1)
    """
    data = gateway_client.get("/v1/releases")
    return Releases(
        Release(
            each["release"],
            date.fromisoformat(each["as_of"]),
            date.fromisoformat(each["expires_on"]),
            each["invented"],
            tuple(each["tables"]),
        )
        for each in data
    )


def newest() -> Release:
    """The release that an order is carried out on unless it names another; raises :class:`Missing`."""
    if not (all_releases := releases()):
        raise Missing("research-zone.no-research-release-yet")
    return all_releases[0]
