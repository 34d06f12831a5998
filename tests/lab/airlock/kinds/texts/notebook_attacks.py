"""Attackers on notebooks: every attack on texts in cells and outputs, and what notebooks have besides these."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from tests.lab.airlock.kinds.texts.alphabet_attacks import alphabets, in_hex
from tests.lab.airlock.kinds.texts.spelling_attacks import SENTENCE, code_layouts, spellings
from tests.lab.airlock.kinds.texts.text_seeds import cell, notebook
from tests.lab.airlock.smuggling import Bits, Smuggling, as_bits, in_groups


def in_notebooks() -> Iterator[Smuggling]:
    """Every attack on texts, in the cells and outputs of a notebook, and what notebooks have beside them."""
    for attack in (*spellings(), *code_layouts(), *alphabets()):
        if attack.file.endswith(".sql"):
            continue
        kind = "code" if attack.file == "code.py" else "markdown"
        yield Smuggling(f"notebook: {attack.name}", "book.ipynb", _celled(attack, kind), _from_source(attack))
        if kind == "markdown" and ("a line" not in attack.name or "of 8, 6" in attack.name):
            yield Smuggling(f"output: {attack.name}", "book.ipynb", _printed(attack), _from_output(attack))
    others: dict[str, Callable[[Bits], bytes]] = {
        "ids": lambda bits: notebook(*({**cell("markdown", SENTENCE), "id": f"c{in_hex(bits)}"},)),
        "metadata": lambda bits: notebook({**cell("markdown", SENTENCE), "metadata": {"x": in_hex(bits)}}),
        "counts of execution": lambda bits: notebook(*(_counted(n) for n in in_groups(bits, 8))),
        "html": lambda bits: notebook(cell("code", "x = 1", outputs=[_result(f"<b>{in_hex(bits)}</b>")])),
        "empty cells": lambda bits: notebook(*(cell("code", text) for bit in bits for text in ["x = 1", *[""] * bit])),
        "kinds of stream": lambda bits: notebook(*(_streamed("stderr" if bit else "stdout") for bit in bits)),
        "order of members": lambda bits: _ordered(bits),
        "escapes": lambda bits: notebook(cell("markdown", SENTENCE)).replace(
            b"new", b"n\\u0065w" if bits[0] else b"new"
        ),
    }
    for name, hide in others.items():
        yield Smuggling(f"notebook: {name}", "book.ipynb", hide, _from_anywhere)


def _celled(attack: Smuggling, kind: str) -> Callable[[Bits], bytes]:
    return lambda bits: notebook(cell(kind, attack.hide(bits).decode("utf-8", "replace")))


def _printed(attack: Smuggling) -> Callable[[Bits], bytes]:
    return lambda bits: notebook(
        cell("code", "x = 1", outputs=[_stream("stdout", attack.hide(bits).decode("utf-8", "replace"))])
    )


def _from_source(attack: Smuggling) -> Callable[[bytes], Bits]:
    return lambda left: attack.find("\n".join(each["source"] for each in json.loads(left)["cells"]).encode())


def _from_output(attack: Smuggling) -> Callable[[bytes], Bits]:
    return lambda left: attack.find("".join(each["text"] for each in json.loads(left)["cells"][0]["outputs"]).encode())


def _counted(number: int) -> dict[str, object]:
    return {**cell("code", "x = 1"), "execution_count": number}


def _streamed(name: str) -> dict[str, object]:
    return cell("code", "x = 1", outputs=[_stream(name)])


def _stream(name: str, text: str = "The new version ranks better.") -> dict[str, object]:
    return {"output_type": "stream", "name": name, "text": text}


def _result(html: str) -> dict[str, object]:
    return {
        "output_type": "execute_result",
        "execution_count": 1,
        "metadata": {},
        "data": {"text/plain": "better", "text/html": html},
    }


def _ordered(bits: Bits) -> bytes:
    cells = [dict(reversed(cell("markdown", SENTENCE).items())) if bit else cell("markdown", SENTENCE) for bit in bits]
    return notebook(*cells)


def _from_anywhere(left: bytes) -> Bits:
    """The longest hexadecimal in a notebook, or a bit a cell: whether it has another order, stream or number."""
    text = left.decode()
    longest = max(re.findall(r"[0-9a-f]{6,}", text), key=len, default="")
    if longest:
        return as_bits([int(char, 16) for char in longest], 4)
    cells = json.loads(text)["cells"]
    if len({json.dumps(each) for each in cells}) > 2:
        return [int("stderr" in json.dumps(each) or next(iter(each)) != "cell_type") for each in cells]
    return []
