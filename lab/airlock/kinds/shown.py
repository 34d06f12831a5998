"""What a reviewer sees of a file (展示内容): blocks of a page in order, taken from the model that leaves.

The console turns the blocks into a page and marks the places of findings in them; nothing is left out of a block.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table: the names of its columns, its rows as texts, and the type of each column; ``label`` is its caption."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    types: tuple[str, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Lines of ``kind`` text, code, markdown or raw; ``first`` is the number of the first line."""

    kind: str
    lines: tuple[str, ...]
    first: int = 1


@dataclass(frozen=True, slots=True)
class PictureBlock:
    """A picture as a PNG that was encoded by us."""

    png: bytes


@dataclass(frozen=True, slots=True)
class FactsBlock:
    """Facts as pairs of a name, which is a word of the console (``fact.…``), and a value."""

    facts: tuple[tuple[str, str], ...]


Block = TableBlock | TextBlock | PictureBlock | FactsBlock


@dataclass(frozen=True, slots=True)
class Shown:
    """The blocks of a file's page.

    ``unseen_bytes`` is how many bytes of information the files that leave can hold beside what the blocks show.
    """

    blocks: tuple[Block, ...]
    unseen_bytes: int = 0
