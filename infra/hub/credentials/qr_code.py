"""A QR code as SVG, drawn from the matrix: one path, without a style of its own."""

from __future__ import annotations

import segno

QUIET = 4  # modules of white around it, which readers need


def qr_code(text: str) -> str:
    """The drawing, to be put into a page."""
    rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix]
    size = len(rows) + 2 * QUIET
    path = "".join(
        f"M{x + QUIET} {y + QUIET}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" aria-label="QR" class="hh-qr">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{path}"/></svg>'
    )
