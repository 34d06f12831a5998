"""Drawings (矢量图, SVG): parsed strictly and rewritten from allowed elements; too many points may be subjects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from credit.messages import Text
from lab.airlock.files import text as texts
from lab.airlock.files.file_inspection import FileInspection
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.issue import Check, Issue, as_finding, fail, review, run_checks
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds

_SPACE = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_DRAWABLE = {
    "svg", "g", "defs", "path", "use", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan",
    "clipPath", "style", "linearGradient", "radialGradient", "stop", "title", "desc", "marker", "symbol",
}  # fmt: skip
_MARKS = {"use", "circle", "ellipse", "rect"}
_COORDINATES = {"d", "points", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry"}
_COORDINATE_VALUE = re.compile(r"[MLHVCSQTAZmlhvcsqtaz\d\s,.e%+-]*(pt|px|em)?")
_UNSAFE = re.compile(r"url\(\s*['\"]?(?!#)|@import|expression\(|javascript:|data:", re.I)
_AGAIN = Text.of("airlock.save-figure-svg")


def inspect_svg(name: str, content: bytes, about: FileDescription, t: Thresholds) -> FileInspection:
    """Inspect a drawing; the outgoing file is written from its tree, without comments, metadata and document type."""
    text = content.decode("utf-8-sig")
    if re.search(r"<!ENTITY|<!DOCTYPE[^>]*\[|<\?(?!xml )", text):
        return FileInspection(
            FileKind.SVG, b"", (as_finding("reading", name, fail(Text.of("airlock.svg-entities"), _AGAIN)),)
        )
    try:
        root = ElementTree.fromstring(text)  # the check above excludes entity declarations
    except (ElementTree.ParseError, ValueError, RecursionError):
        return FileInspection(
            FileKind.SVG, b"", (as_finding("reading", name, fail(Text.of("airlock.not-xml"), _AGAIN)),)
        )
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{_SPACE}metadata":
                parent.remove(child)
    ElementTree.register_namespace("", _SPACE[1:-1])
    ElementTree.register_namespace("xlink", _LINK[1:-5])
    findings = run_checks(name, root, CHECKS, t)
    findings += texts.check_text(name, "\n".join(_words(root)), texts.CHECKS, t)
    needs_viewing = review(Text.of("airlock.picture-content"), Text.of("airlock.svg-content-fix"), marks=marks(root))
    findings.append(as_finding("what it shows", name, needs_viewing))
    _coarsen(root)
    return FileInspection(
        FileKind.SVG, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True), tuple(findings)
    )


def drawn_only(root: ElementTree.Element, t: Thresholds) -> Iterator[Issue]:
    """Only drawing elements: no script, foreign content, external link or embedded data."""
    odd = {_local(node) for node in root.iter() if not _is_drawable(node)}
    if odd:
        names = sorted(name if re.fullmatch(r"\w{1,30}", name) else "?" for name in odd)
        yield fail(Text.of("airlock.svg-elements", names=", ".join(names[:10])), _AGAIN, elements=names[:10])
    for node in root.iter():
        for name, value in node.attrib.items():
            plain = name.rpartition("}")[2]
            misplaced = name in _COORDINATES and not _COORDINATE_VALUE.fullmatch(value)
            linked = plain in ("href", "src") and not value.startswith("#")
            if misplaced or linked or plain.lower().startswith(("on", "data-")) or _UNSAFE.search(value):
                yield fail(Text.of("airlock.svg-attribute"), _AGAIN, attribute=plain[:30])
                return
        if _local(node) == "style" and _UNSAFE.search(node.text or ""):
            yield fail(Text.of("airlock.svg-style"), _AGAIN)


def few_marks(root: ElementTree.Element, t: Thresholds) -> Iterator[Issue]:
    """Few enough points that they are not subjects, since a drawing stores each coordinate with many digits."""
    count = marks(root)
    fix = Text.of("airlock.svg-points-fix")
    if count > t["marks_at_most"]:
        yield fail(Text.of("airlock.svg-points", count=count), fix, marks=count)
    elif count > t["marks_review_from"]:
        yield review(Text.of("airlock.svg-points", count=count), fix, marks=count)


def marks(root: ElementTree.Element) -> int:
    """The number of points drawn: shapes, uses of shapes, and corners of lines."""
    single = sum(_local(node) in _MARKS for node in root.iter())
    corners = sum(len(re.findall(r"[MLHVCSQTAmlhvcsqta]", node.get("d", ""))) for node in root.iter())
    lines = sum(len(re.findall(r"[\d.]+[ ,]+-?[\d.]+", node.get("points", ""))) for node in root.iter())
    return single + corners // 2 + lines


def _words(root: ElementTree.Element) -> Iterator[str]:
    """All texts in a drawing: its text nodes and its attribute values, except coordinates."""
    for node in root.iter():
        yield from (each for each in (node.text or "", node.tail or "") if each.strip())
        yield from (value for name, value in node.attrib.items() if name not in _COORDINATES)


def _coarsen(root: ElementTree.Element) -> None:
    """Round coordinates to a tenth of a point, which is invisible and removes exact values of subjects."""
    for node in root.iter():
        for name in _COORDINATES & node.attrib.keys():
            node.set(name, re.sub(r"-?\d+\.\d+", lambda match: f"{float(match[0]):.1f}", node.attrib[name]))


def _is_drawable(node: ElementTree.Element) -> bool:
    return isinstance(node.tag, str) and node.tag.startswith(_SPACE) and _local(node) in _DRAWABLE


def _local(node: ElementTree.Element) -> str:
    return str(node.tag).rpartition("}")[2]


CHECKS: tuple[Check[ElementTree.Element], ...] = (("drawn only", drawn_only), ("points", few_marks))
