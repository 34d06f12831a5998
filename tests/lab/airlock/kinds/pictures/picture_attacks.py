"""Attackers on pictures: bits in the values, the places and the colours of pixels of an ordinary chart."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.lab.airlock.smuggling import Bits, Smuggling

Pixels = NDArray[np.int64]
SIZE = (640, 480)
HEIGHTS = (290, 240, 205, 160, 130, 96)  # of the bars
BAR = (51, 102, 204)


@cache
def chart() -> bytes:
    """The pixels (H, W, 3) of a bar chart with words and axes."""
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    for n, height in enumerate(HEIGHTS):
        draw.rectangle((80 + n * 84, 400 - height, 132 + n * 84, 400), fill=BAR)
        draw.text((84 + n * 84, 406), f"group {n}", fill="black")
    draw.line((60, 400, 610, 400), fill="black")
    draw.text((250, 20), "Firms by industry", fill="black")
    return image.tobytes()


def pixels() -> Pixels:
    """The chart as numbers."""
    return np.frombuffer(chart(), dtype=np.uint8).reshape(SIZE[1], SIZE[0], 3).astype(np.int64)


def _png(values: Pixels) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(sink, "PNG")
    return sink.getvalue()


def _values(content: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=np.int64)


def unseen() -> Iterator[Smuggling]:
    """Changes that no reader sees: a few steps of brightness of a pixel or of a block, in one channel or in all."""
    for block in (1, 2, 4, 8):
        for change in (1, 3, 12, 24):
            for channel in (None, 0, 2):
                yield _blocks(f"{change} steps in blocks of {block}, channel {channel}", block, change, channel)
    yield _blocks("a tint of blue in blocks of 4", 4, 51, 2)
    yield _blocks("a tint of blue in blocks of 8", 8, 51, 2)
    yield Smuggling("single pixels beside black", "chart.png", _single, _read_single)


def seen() -> Iterator[Smuggling]:
    """Marks that a reader can see, as dots, if he looks for them."""
    for block in (1, 2, 3, 4):
        yield _blocks(f"grey dots of {block}", block, 153, None)
    yield Smuggling("edges of bars by a point", "chart.png", _edges, _read_edges)
    yield Smuggling("places of points in a scatter plot", "chart.png", _scatter, _read_scatter)


def _places(block: int, bits: int) -> list[tuple[int, int]]:
    """The corners of blocks of plain white, two pixels apart."""
    values, corners = pixels(), []
    step = block + 2
    for y in range(4, SIZE[1] - step, step):
        for x in range(4, SIZE[0] - step, step):
            if len(corners) == bits:
                return corners
            if (values[y - 2 : y + step, x - 2 : x + step] == 255).all():
                corners.append((y, x))
    return corners


def _blocks(name: str, block: int, change: int, channel: int | None) -> Smuggling:
    place = slice(None) if channel is None else channel

    def hide(bits: Bits) -> bytes:
        values = pixels()
        for bit, (y, x) in zip(bits, _places(block, len(bits)), strict=False):
            values[y : y + block, x : x + block, place] -= change * bit
        return _png(values)

    def find(left: bytes) -> Bits:
        values = _values(left)
        if values.shape != (SIZE[1], SIZE[0], 3):
            return []
        everywhere = _places(block, 10**6)
        return [int(values[y : y + block, x : x + block, place].mean() < 255 - 0.3 * change) for y, x in everywhere]

    return Smuggling(name, "chart.png", hide, find)


def _single(bits: Bits) -> bytes:
    """A grey pixel above the axis, or none: where the drawing of letters leaves such pixels too."""
    values = pixels()
    for n, bit in enumerate(bits[:270]):
        values[399, 62 + 2 * n] -= (values[399, 62 + 2 * n] > 200) * 102 * bit
    return _png(values)


def _read_single(left: bytes) -> Bits:
    row = _values(left)[399]
    return [int(60 < row[62 + 2 * n].mean() < 200 and tuple(row[62 + 2 * n]) != BAR) for n in range(270)]


def _edge_places() -> list[tuple[int, int]]:
    """The points beside the edges of the bars, in each second row."""
    return [
        (y, x)
        for n, height in enumerate(HEIGHTS)
        for y in range(403 - height, 398, 2)
        for x in (79 + n * 84, 133 + n * 84)
    ]


def _edges(bits: Bits) -> bytes:
    """A bar is one point wider in a row, or not, as where the drawing of a slope rounds."""
    values = pixels()
    for bit, (y, x) in zip(bits, _edge_places(), strict=False):
        values[y, x] = BAR if bit else values[y, x]
    return _png(values)


def _read_edges(left: bytes) -> Bits:
    values = _values(left)
    return [int(values[y, x].sum() < 600) for y, x in _edge_places()]


_CELLS = [(y, x) for y in range(30, 396, 10) for x in range(62, 620, 12)]  # of a scatter plot; each has one point
_SPOTS = [(2 * (n // 4), 2 * (n % 4)) for n in range(16)]  # within a cell


def _scatter(bits: Bits) -> bytes:
    """A cloud of 1,739 points, each in one of sixteen places of its cell: four bits a point."""
    image = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(image).line((60, 20, 60, 400, 620, 400), fill="black")
    values = np.asarray(image).astype(np.int64)
    for start, (y, x) in zip(range(0, len(bits), 4), _CELLS, strict=False):
        down, right = _SPOTS[sum(bit << n for n, bit in enumerate(bits[start : start + 4]))]
        values[y + down : y + down + 2, x + right : x + right + 2] = BAR
    return _png(values)


def _read_scatter(left: bytes) -> Bits:
    darkness, bits = -_values(left).sum(axis=2), list[int]()
    for y, x in _CELLS:
        sums = [int(darkness[y + down : y + down + 2, x + right : x + right + 2].sum()) for down, right in _SPOTS]
        spot = sums.index(max(sums))
        bits += [spot >> n & 1 for n in range(4)]
    return bits
