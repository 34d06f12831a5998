"""A picture reduced (图片简化): flattened on white, no larger than a screen, in a few colours that differ visibly.

A value below a step of the grid, a colour that a reader takes for another one, and a pixel unlike all around it are
gone; so what a picture still carries is drawn where it can be seen. To reduce twice changes nothing.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from credit.messages import Text
from lab.airlock.issue import Issue, fail
from lab.airlock.thresholds import Thresholds

_STEPS = 5  # of each channel: 0, 51 … 255
_PASSES = 60
_FIX = Text.of("airlock.smaller-picture")
Pixels = NDArray[np.uint8]
_DECODING = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning, EOFError)


@dataclass(frozen=True, slots=True)
class PictureModel:
    """A picture: its size in pixels, its colours as (red, green, blue), and the number of each pixel's colour."""

    width: int
    height: int
    colours: tuple[tuple[int, int, int], ...]
    pixels: bytes


def reduced(content: bytes, kind: str, t: Thresholds) -> PictureModel | Issue:
    """The reduced picture of a PNG or JPEG (``kind`` names the format), or the issue with its pixels."""
    try:
        with Image.open(io.BytesIO(content), formats=(kind,)) as opened:
            if opened.width * opened.height > t["pixels_at_most"] or getattr(opened, "n_frames", 1) != 1:
                return fail(Text.of("airlock.frames"), _FIX)
            picture = _on_white(opened)
    except _DECODING:
        return fail(Text.of("airlock.pixels-unreadable"), Text.of("airlock.save-figure-png"))
    picture.thumbnail((t["picture_width_at_most"], t["picture_height_at_most"]), Image.Resampling.BOX)
    values = np.asarray(picture, dtype=np.float64)
    grid = np.rint(values * (_STEPS / 255)).astype(np.int64)
    codes = (grid[..., 0] * (_STEPS + 1) + grid[..., 1]) * (_STEPS + 1) + grid[..., 2]
    numbers, colours = _few_colours(codes, t["picture_colours_at_most"], t["colour_distance_at_least"])
    return _model(_without_specks(numbers, len(colours)), colours)


def encoded(model: PictureModel) -> bytes:
    """The PNG that leaves."""
    picture = Image.frombytes("P", (model.width, model.height), model.pixels)
    picture.putpalette([part for colour in model.colours for part in colour])
    sink = io.BytesIO()
    picture.save(sink, "PNG", optimize=True)
    return sink.getvalue()


def preview(model: PictureModel) -> bytes:
    """A PNG that shows the same points and is another file: three bytes a point, without the palette."""
    palette = np.array(model.colours, dtype=np.uint8)
    points = palette[np.frombuffer(model.pixels, dtype=np.uint8)].tobytes()
    sink = io.BytesIO()
    Image.frombytes("RGB", (model.width, model.height), points).save(sink, "PNG")
    return sink.getvalue()


def _on_white(opened: Image.Image) -> Image.Image:
    if opened.mode in ("RGBA", "LA", "PA", "P") or "transparency" in opened.info:
        layer = opened.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return opened.convert("RGB")


def _few_colours(codes: NDArray[np.int64], most: int, apart: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The number of each pixel's colour (H, W), and the colours (K, 3): the most frequent that are so far apart."""
    used, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    parts = np.stack([used // (_STEPS + 1) ** 2, used // (_STEPS + 1) % (_STEPS + 1), used % (_STEPS + 1)], axis=1)
    values = parts * (255 // _STEPS)
    kept: list[int] = []
    for place in sorted(range(len(used)), key=lambda n: (-int(counts[n]), int(used[n]))):
        if len(kept) < most and (not kept or float(_distances(values[place], values[kept]).min()) >= apart):
            kept.append(place)
    colours = values[sorted(kept)]
    nearest = np.array([int(_distances(value, colours).argmin()) for value in values], dtype=np.int64)
    return nearest[inverse].reshape(codes.shape), colours


def _distances(colour: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """How different colours look ("redmean", a weighted distance in RGB)."""
    mean = (colour[0] + others[..., 0]) / 2
    red, green, blue = ((colour[n] - others[..., n]).astype(np.float64) ** 2 for n in range(3))
    return np.asarray(np.sqrt((2 + mean / 256) * red + 4 * green + (2 + (255 - mean) / 256) * blue))


def _without_specks(numbers: NDArray[np.int64], colours: int) -> NDArray[np.int64]:
    """Pixels that are unlike all eight around them take the colour of most of these; repeated until none is left."""
    for _ in range(_PASSES):
        padded = np.pad(numbers, 1, mode="edge")
        height, width = numbers.shape
        around = [
            padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
            for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)
        ]  # fmt: skip
        inside = np.zeros(numbers.shape, dtype=np.bool_)
        inside[1:-1, 1:-1] = True
        alone = inside & np.logical_and.reduce([each != numbers for each in around])
        rows, columns = np.nonzero(alone)
        if not len(rows):
            return numbers
        votes = np.zeros((len(rows), colours), dtype=np.int64)
        for each in around:
            np.add.at(votes, (np.arange(len(rows)), each[rows, columns]), 1)
        numbers = numbers.copy()
        numbers[rows, columns] = votes.argmax(axis=1)
    return numbers


def _model(numbers: NDArray[np.int64], colours: NDArray[np.int64]) -> PictureModel:
    used, inverse = np.unique(numbers, return_inverse=True)
    height, width = numbers.shape
    rows: list[Any] = colours[used].tolist()
    pixels = inverse.reshape(numbers.shape).astype(np.uint8).tobytes()
    return PictureModel(width, height, tuple((red, green, blue) for red, green, blue in rows), pixels)
