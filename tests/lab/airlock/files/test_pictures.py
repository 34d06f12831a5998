"""Only visible content leaves: a picture is read completely and redrawn for the parcel."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from credit.gate import Outcome
from tests.lab.airlock.gate_runs import PSEUDONYM, judge, open_findings, outcome

pytestmark = pytest.mark.attack

REVIEW, FAIL = Outcome.REVIEW, Outcome.FAIL
HIDDEN = ("who,score\n" + f"{PSEUDONYM},0.7\n" * 20).encode()


def png(image: Image.Image | None = None, **options: object) -> bytes:
    sink = io.BytesIO()
    (image or Image.effect_noise((60, 40), 20).convert("RGB")).save(sink, "PNG", **options)  # type: ignore[arg-type]
    return sink.getvalue()


def jpeg(**options: object) -> bytes:
    sink = io.BytesIO()
    Image.effect_noise((60, 40), 20).convert("RGB").save(sink, "JPEG", **options)  # type: ignore[arg-type]
    return sink.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunk(name: bytes, data: bytes) -> bytes:
    whole = png()
    return whole[:33] + chunk(name, data) + whole[33:]  # after IHDR


def with_packed(extra: bytes, inside: bool) -> bytes:
    pixels = b"".join(b"\0" + bytes(60 * 3) for _ in range(40))
    packed = zlib.compress(pixels + extra) if inside else zlib.compress(pixels) + extra
    head = struct.pack(">IIBBBBB", 60, 40, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def text_chunk() -> bytes:
    info = PngInfo()
    info.add_text("Comment", HIDDEN.decode(), zip=True)
    return png(pnginfo=info)


def exif() -> bytes:
    options = Image.Exif()
    options[0x010E] = HIDDEN.decode()
    return options.tobytes()


CARRIERS = {
    "after the end": ("f.png", png() + HIDDEN),
    "a ZIP after the end": ("f.png", png() + b"PK\x03\x04" + HIDDEN),
    "a text chunk": ("f.png", with_chunk(b"tEXt", b"Comment\0" + HIDDEN)),
    "a packed text chunk": ("f.png", text_chunk()),
    "a text chunk as the plotting library's": ("f.png", with_chunk(b"tEXt", b"Software\0Matplotlib version" + HIDDEN)),
    "EXIF in a PNG": ("f.png", png(exif=exif())),
    "a chunk of its own": ("f.png", with_chunk(b"haHa", HIDDEN)),
    "a colour profile": ("f.png", with_chunk(b"iCCP", b"x\0\0" + zlib.compress(HIDDEN))),
    "a chunk too large": ("f.png", with_chunk(b"gAMA", b"\0\0\xb1\x8f" + HIDDEN)),
    "rows below the picture": ("f.png", with_packed(HIDDEN, inside=True)),
    "bytes after the packed pixels": ("f.png", with_packed(HIDDEN, inside=False)),
    "EXIF in a JPEG": ("f.jpg", jpeg(exif=exif())),
    "a comment in a JPEG": ("f.jpg", jpeg(comment=HIDDEN)),
    "after the end of a JPEG": ("f.jpg", jpeg() + HIDDEN),
}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_file_that_hides_a_table_in_its_picture_is_refused(carrier: str) -> None:
    name, content = CARRIERS[carrier]
    judgement = judge({name: content})
    assert judgement.verdict.outcome is FAIL
    assert open_findings(judgement, "reading")[0].outcome is FAIL
    assert not judgement.leaving


@pytest.mark.parametrize(("name", "content"), [("f.png", png()), ("f.jpg", jpeg()), ("f.jpg", jpeg(progressive=True))])
def test_a_plain_picture_needs_review(name: str, content: bytes) -> None:
    judgement = judge({name: content})
    assert judgement.verdict.outcome is REVIEW
    (finding,) = open_findings(judgement, "what it shows")
    (leaving,) = judgement.leaving.values()
    assert finding.evidence["could_carry_bytes"] == len(leaving)
    assert list(judgement.leaving) == ["f.png"]


def test_pictures_of_plotting_libraries_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(3, 2))
    axes.bar(["retail", "food"], [120, 85])
    axes.set_title("Firms")
    for kind in ("png", "jpeg"):
        sink = io.BytesIO()
        figure.savefig(sink, format=kind)
        judgement = judge({f"f.{kind}": sink.getvalue()})
        assert judgement.verdict.outcome is REVIEW, [str(f) for f in judgement.verdict.findings if f.outcome is FAIL]
        assert b"atplotlib v" not in judgement.files[f"f.{kind}"].outgoing
        assert "rewritten" in {each.check for each in judgement.verdict.findings}
    pyplot.close(figure)


def test_pictures_are_limited_in_size() -> None:
    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    huge = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10_000_000)))
    assert outcome(huge + chunk(b"IEND", b""), "f.png") is FAIL
    assert outcome(with_packed(bytes(200_000_000), inside=True), "f.png") is FAIL, "a bomb"
    for cut in (9, 40, 100, -5):
        assert outcome(png()[:cut], "f.png") is FAIL
    for cut in (3, 20, 300, -2):
        assert outcome(jpeg()[:cut], "f.jpg") is FAIL


def drawing(inside: str, head: str = "", space: str = ' xmlns="http://www.w3.org/2000/svg"') -> str:
    return f'<?xml version="1.0"?>{head}<svg{space} width="10" height="10">{inside}</svg>'


@pytest.mark.parametrize(
    "svg", [drawing("<circle r='1'/>"), drawing("<script>alert(1)</script>", "<!-- x -->"), "<svg/>"]
)
def test_a_drawing_is_refused_by_name(svg: str) -> None:
    judgement = judge({"f.svg": svg})
    assert judgement.verdict.outcome is FAIL
    assert "SVG" in judgement.verdict.findings[-1].why
