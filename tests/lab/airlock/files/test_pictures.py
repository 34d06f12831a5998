"""Only visible content leaves: a picture is read completely and redrawn for the parcel."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from credit.gate import Outcome
from tests.lab.airlock.gate_runs import PSEUDONYM, judge, open_findings, outcome, worst_outcome

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
def test_a_table_hidden_in_a_picture_is_detected_and_removed(carrier: str) -> None:
    name, content = CARRIERS[carrier]
    judgement = judge({name: content})
    assert open_findings(judgement, "hidden content")[0].outcome is FAIL
    outgoing = judgement.files[name].outgoing
    assert PSEUDONYM.encode() not in outgoing
    assert b"PK\x03\x04" not in outgoing
    if outgoing:  # the redrawn picture passes the check
        assert worst_outcome(outgoing, "hidden content", name) is Outcome.PASS


@pytest.mark.parametrize(("name", "content"), [("f.png", png()), ("f.jpg", jpeg()), ("f.jpg", jpeg(progressive=True))])
def test_a_plain_picture_needs_review(name: str, content: bytes) -> None:
    judgement = judge({name: content})
    assert judgement.verdict.outcome is REVIEW
    (finding,) = open_findings(judgement, "what it shows")
    assert finding.evidence["low_bits_could_carry_bytes"] == 60 * 40 * 3 // 8
    before, after = (Image.open(io.BytesIO(each)).convert("RGB") for each in (content, judgement.files[name].outgoing))
    assert before.size == after.size
    if name == "f.png":
        assert before.tobytes() == after.tobytes(), "to the pixel"


def test_the_capacity_of_the_lowest_bits_is_reported() -> None:
    image = Image.new("RGB", (200, 100), (254, 254, 254))
    bits = [int(bit) for byte in HIDDEN for bit in f"{byte:08b}"]
    flat = bytearray(image.tobytes())
    for n, bit in enumerate(bits):
        flat[n] |= bit
    judgement = judge({"f.png": png(Image.frombytes("RGB", image.size, bytes(flat)))})
    (finding,) = open_findings(judgement, "what it shows")
    assert finding.outcome is REVIEW
    assert finding.evidence["low_bits_could_carry_bytes"] >= len(HIDDEN)


def test_pictures_of_plotting_libraries_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(3, 2))
    axes.bar(["retail", "food"], [120, 85])
    axes.set_title("Firms")
    for kind in ("png", "svg", "jpeg"):
        sink = io.BytesIO()
        figure.savefig(sink, format=kind)
        judgement = judge({f"f.{kind}": sink.getvalue()})
        assert judgement.verdict.outcome is REVIEW, [str(f) for f in judgement.verdict.findings if f.outcome is FAIL]
        assert b"atplotlib v" not in judgement.files[f"f.{kind}"].outgoing
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
    "svg",
    [
        drawing("<script>alert(1)</script>"),
        drawing("<foreignObject><p>x</p></foreignObject>"),
        drawing('<image href="data:image/png;base64,AAAA"/>'),
        drawing('<rect onclick="x()"/>'),
        drawing('<rect data-rows="1,2,3"/>'),
        drawing('<use href="http://example.org/x"/>'),
        drawing('<rect style="fill:url(http://example.org/x)"/>'),
        drawing("<style>@import 'x';</style>"),
        drawing('<a href="#x">x</a>'),
        drawing("<data>1,2,3</data>"),
        drawing('<path d="M 0 0 who 1 2"/>'),
        drawing(f'<g id="{PSEUDONYM}"/>'),
        drawing(f"<text>{PSEUDONYM}</text>"),
        drawing("&e;", '<!DOCTYPE svg [<!ENTITY e "x">]>'),
        drawing("<g>" * 3000 + "</g>" * 3000 + "<p>"),
        drawing('<rect xmlns:x="urn:x" x:hidden="1"/><x:y xmlns:x="urn:x">1,2</x:y>'),
        drawing('<circle r="1"/>' * 6000),
    ],
)
def test_a_drawing_with_scripts_links_or_data_fails(svg: str) -> None:
    assert outcome(svg, "f.svg") is FAIL


def test_a_drawing_is_rewritten_and_its_points_are_counted() -> None:
    svg = drawing(
        "<path d='M 1.23456 2 L 3 4.98765'/><!-- 1,2,3 --><metadata>rows</metadata><circle r='1'/>"
        + "<circle r='1'/>" * 400
    )
    judgement = judge({"f.svg": svg})
    assert judgement.verdict.outcome is REVIEW
    outgoing = judgement.files["f.svg"].outgoing
    assert b"rows" not in outgoing
    assert b"1,2,3" not in outgoing
    assert b"M 1.2 2 L 3 5.0" in outgoing
    assert open_findings(judgement, "points")[0].evidence["marks"] == 402
