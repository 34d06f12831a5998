"""A theme (专项主题) as data: one YAML file each, read strictly. A city adds, changes or removes files.

``base`` is the register, ``where`` SQL over a row ``r`` of it and the day ``as_of``, ``having`` records of which a
subject needs at least one, ``tables`` what the library has of each subject, ``owner`` the department that it is for,
and ``k`` the least number of subjects that may be shown as a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from credit.catalogue import Catalogue
from credit.errors import Malformed, Missing
from credit.fields import require_keys
from credit.messages import Text
from credit.usage_rights import Purpose, Recipient, require_use

THEMES = Path(__file__).parent
_NEEDED = {"name", "title", "english", "owner", "base", "where", "tables", "k"}
LEAST_K = 3


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme. ``having`` are pairs of a table and a condition on its rows."""

    name: str
    title: str
    english: str
    owner: str
    base: str
    where: str
    having: tuple[tuple[str, str], ...]
    tables: tuple[str, ...]
    k: int

    @classmethod
    def parse(cls, data: Mapping[str, Any], catalogue: Catalogue, *, where: str) -> Theme:
        """Read one theme. Raises :class:`Malformed` with the file and the key that is wrong, and :class:`Refused`
        when the right of a table does not permit that an agency is informed of its records."""
        require_keys(data, known=_NEEDED | {"having"}, needed=_NEEDED, where=where)
        having = tuple((str(each["table"]), str(each["where"])) for each in data.get("having") or ())
        theme = cls(
            **{name: str(data[name]) for name in ("name", "title", "english", "owner", "base", "where")},
            having=having,
            tables=tuple(map(str, data["tables"])),
            k=int(data["k"]),
        )
        if theme.k < LEAST_K:
            raise Malformed("themes.k-too-small", path_name=where, least=LEAST_K)
        tables = [catalogue.table(name) for name in (theme.base, *theme.tables, *(table for table, _ in having))]
        require_use({table.usage for table in tables}, (Recipient.AGENCY, Purpose.INQUIRY))
        return theme


def all_themes(catalogue: Catalogue, folder: Path = THEMES) -> dict[str, Theme]:
    """Every theme of a folder by its name; raises as :meth:`Theme.parse`."""
    themes: dict[str, Theme] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
            theme = Theme.parse(data, catalogue, where=path.name)
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            why = Text.verbatim(type(error).__name__)
            raise Malformed("themes.not-readable", why=why, path_name=path.name) from error
        if theme.name != path.stem:
            raise Malformed("themes.not-named-after-file", path_name=path.name)
        themes[theme.name] = theme
    return themes


def theme_named(name: str, catalogue: Catalogue, folder: Path = THEMES) -> Theme:
    """The theme of a name; raises :class:`Missing` and as :func:`all_themes`."""
    themes = all_themes(catalogue, folder)
    if name not in themes:
        raise Missing("themes.no-theme", name=name[:40], themes=", ".join(themes))
    return themes[name]
