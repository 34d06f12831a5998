"""Pictures of outputs: PNG, JPEG and GIF by their first bytes, and drawings (SVG) written again from allowed elements.

A browser shows each as an image, in which nothing acts; a drawing that is opened by itself must not act either.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, SubElement, register_namespace, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lab.workspace.outputs import styles

BEGINNINGS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
_DATA = re.compile(r"data:(image/(?:png|jpeg|gif));base64,([A-Za-z0-9+/=\s]+)")
_SPACE, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_ELEMENTS = {
    "svg", "g", "defs", "path", "use", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan",
    "clipPath", "style", "linearGradient", "radialGradient", "stop", "title", "desc", "marker", "symbol", "image",
}  # fmt: skip
_ATTRIBUTES = {
    "d", "points", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "dx", "dy", "width", "height", "id",
    "transform", "viewBox", "version", "clip-path", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width",
    "stroke-opacity", "stroke-linecap", "stroke-linejoin", "stroke-dasharray", "stroke-miterlimit", "opacity", "offset",
    "stop-color", "stop-opacity", "gradientUnits", "gradientTransform", "preserveAspectRatio", "text-anchor",
    "font-family", "font-size", "font-style", "font-weight", "refX", "refY", "orient", "markerWidth", "markerHeight",
    "clipPathUnits", "clip-rule", "style",
}  # fmt: skip
_DRAWN = styles.PROPERTIES | _ATTRIBUTES - {"style"}
_PLAIN = re.compile(r"[\w\s.,:;#%()+*/!'\"-]*")
_URL = re.compile(r"url\s*\(\s*#[\w-]+\s*\)")


def is_data_url(address: str) -> bool:
    """True for an address that is itself a PNG, JPEG or GIF."""
    match = _DATA.fullmatch(address)
    return match is not None and is_picture(match[1], match[2])


def is_picture(kind: str, encoded: str) -> bool:
    """True when base64 text holds what begins as a picture of this kind does."""
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return content.startswith(BEGINNINGS.get(kind, ())) and kind in BEGINNINGS


def drawing(text: str) -> str | None:
    """A drawing written again from its allowed elements; None when it is no well-formed SVG or declares entities."""
    try:
        root = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        return None
    if root.tag != f"{{{_SPACE}}}svg":
        return None
    register_namespace("", _SPACE)
    register_namespace("xlink", _LINK)
    written = Element(root.tag, dict(_attributes(root)))
    _copy(root, written)
    return str(tostring(written, encoding="unicode"))


def _copy(source: Element, target: Element) -> None:
    """Copy the text and the allowed children, depth first, without recursion."""
    waiting = [(source, target)]
    while waiting:
        old, new = waiting.pop()
        new.text = old.text if not new.tag.endswith("}style") else _stylesheet(old.text or "")
        for child in old:
            if isinstance(child.tag, str) and child.tag.removeprefix(f"{{{_SPACE}}}") in _ELEMENTS:
                copy = SubElement(new, child.tag, dict(_attributes(child)))
                copy.tail = child.tail
                waiting.append((child, copy))


def _attributes(node: Element) -> Iterator[tuple[str, str]]:
    for name, value in node.attrib.items():
        if name in (f"{{{_LINK}}}href", "href"):
            of_image = node.tag.endswith("}image") and is_data_url(value)
            if of_image or re.fullmatch(r"#[\w-]+", value):
                yield name, value
        elif name in _ATTRIBUTES and _is_drawn(value):
            yield name, value


def _is_drawn(value: str) -> bool:
    rest = _URL.sub("", value)
    return _PLAIN.fullmatch(rest) is not None and "url" not in rest.lower() and "image" not in rest.lower()


def _stylesheet(text: str) -> str:
    """matplotlib's sheet, ``*{stroke-linejoin: round; stroke-linecap: butt}``, or rules like it."""
    rules = []
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
        pairs = [one.partition(":") for one in body.split(";")]
        kept = [f"{name}:{value}" for name, _, value in pairs if name.strip() in _DRAWN and _is_drawn(value)]
        if re.fullmatch(r"[\w\s.#*,-]+", selector) and kept:
            rules.append(f"{selector.strip()}{{{';'.join(kept)}}}")
    return "".join(rules)
