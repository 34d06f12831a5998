"""What leaves of a picture is drawn by us: twice is as once, small changes change nothing, and all of it is shown."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from credit.gate import Outcome
from lab.airlock.issue import Issue
from lab.airlock.kinds.pictures.picture_format import JPEG, PNG, PictureFormat
from lab.airlock.kinds.pictures.reduced import PictureModel
from lab.airlock.kinds.shown import PictureBlock
from lab.airlock.thresholds import load
from tests.lab.airlock.gate_runs import judge
from tests.lab.airlock.kinds.pictures.picture_attacks import pixels, unseen
from tests.lab.airlock.smuggling import smuggled

pytestmark = pytest.mark.attack
T = load()


def picture(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    sink = io.BytesIO()
    image.save(sink, kind, **options)  # type: ignore[arg-type]
    return sink.getvalue()


def model(content: bytes, format: PictureFormat = PNG) -> PictureModel:
    read = format.read(content, T)
    assert not isinstance(read, Issue), read.why.render()
    return read.model


images = st.tuples(
    st.integers(1, 24), st.integers(1, 24), st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA"])
).flatmap(
    lambda each: st.binary(min_size=each[0] * each[1] * 4, max_size=each[0] * each[1] * 4).map(
        lambda data: Image.frombytes("RGBA", each[:2], data).convert(each[2])
    )
)


@given(images)
@settings(max_examples=150, deadline=None)
def test_a_picture_that_was_reduced_is_reduced_to_itself(image: Image.Image) -> None:
    once = model(picture(image))
    (leaving,) = PNG.write("a.jpg", once).values()
    assert model(leaving) == once
    assert PNG.show(once).blocks == (PictureBlock(leaving),)
    assert len(once.colours) <= T["picture_colours_at_most"]


def test_a_chart_of_any_size_fits_a_screen_and_is_a_fixed_point() -> None:
    chart = Image.fromarray(pixels().astype(np.uint8))
    for width, height in ((640, 480), (3000, 2000), (200, 2500)):
        once = model(picture(chart.resize((width, height))))
        assert once.width <= T["picture_width_at_most"]
        assert once.height <= T["picture_height_at_most"]
        assert model(PNG.write("a.png", once)["a.png"]) == once


@given(st.binary(min_size=64, max_size=64), st.integers(0, 9), st.booleans())
@settings(max_examples=40, deadline=None)
def test_low_bits_packing_and_the_layer_of_transparency_change_nothing(noise: bytes, level: int, layer: bool) -> None:
    values = pixels()
    plain = Image.fromarray(values.astype(np.uint8))
    low = np.resize(np.frombuffer(noise, dtype=np.uint8), values.shape).astype(np.int64) % 20
    low *= values % 51 == 0  # letters have values between two steps, where a small change counts
    changed = Image.fromarray(np.where(values > 127, values - low, values + low).astype(np.uint8))
    if layer:
        changed.putalpha(255)
    assert model(picture(changed, compress_level=level)) == model(picture(plain))


def test_a_picture_under_full_transparency_is_white() -> None:
    hidden = Image.fromarray(pixels().astype(np.uint8))
    hidden.putalpha(0)
    once = model(picture(hidden))
    assert once.colours == ((255, 255, 255),)


def test_a_jpeg_leaves_as_the_png_of_its_picture() -> None:
    chart = Image.fromarray(pixels().astype(np.uint8))
    once = model(picture(chart, "JPEG", quality=95), JPEG)
    assert set(PNG.write("chart.jpeg", once)) == {"chart.png"}
    assert len(once.colours) <= 12


def test_noise_is_refused() -> None:
    random = np.random.default_rng(1)
    noise = picture(Image.fromarray(random.integers(0, 256, (600, 800, 3), dtype=np.uint8)))
    assert judge({"f.png": noise}).verdict.outcome is Outcome.FAIL


@pytest.mark.parametrize("attack", [each for n, each in enumerate(unseen()) if n % 7 == 0], ids=lambda each: each.name)
def test_what_no_reader_sees_does_not_leave(attack: object) -> None:
    assert smuggled(attack, (24, 256)) == 0  # type: ignore[arg-type]
