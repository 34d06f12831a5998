"""Stacked bars as SVG: how a whole is made up of its parts, the same part in the same colour in each."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

WIDE, HIGH, LEFT, SPAN, INK = 860, 46, 150, 600, "#1c2733"
# Okabe and Ito's colours, which those who see fewer colours tell apart too; then two greys.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#6b7280", "#444444", "#c3c9d0")


def stacked(title: str, bars: Mapping[str, Mapping[str, float]]) -> str:
    """Bars one below another, each from left to right in the order of its parts; a part's number where it fits."""
    names = list(dict.fromkeys(name for parts in bars.values() for name in parts))
    colour = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    most = max(sum(parts.values()) for parts in bars.values())
    drawn = [_text(WIDE / 2, 20, title, size=15, anchor="middle")]
    for place, (bar, parts) in enumerate(bars.items()):
        x, y = float(LEFT), 36 + place * HIGH
        drawn.append(_text(LEFT - 8, y + 20, bar, anchor="end"))
        for name, value in parts.items():
            wide = value / most * SPAN
            drawn.append(f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="30" fill="{colour[name]}"/>')
            if wide > 22:
                dark = colour[name] in ("#F0E442", "#E69F00", "#c3c9d0", "#56B4E9")
                drawn.append(_text(x + wide / 2, y + 20, f"{value:.0f}", anchor="middle", ink=INK if dark else "white"))
            x += wide
        drawn.append(_text(x + 6, y + 20, f"{sum(parts.values()):.0f}"))
    top = 36 + len(bars) * HIGH
    for place, name in enumerate(names):
        x, y = LEFT + place % 3 * 220, top + 6 + place // 3 * 20
        drawn.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour[name]}"/>')
        drawn.append(_text(x + 18, y + 11, name.replace("_", "-"), size=12))
    tall = top + 16 + (len(names) + 2) // 3 * 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {tall}" width="{WIDE}" role="img" '
        f'font-family="sans-serif"><rect width="{WIDE}" height="{tall}" fill="white"/>{"".join(drawn)}</svg>\n'
    )


def _text(x: float, y: float, text: str, *, size: int = 13, anchor: str = "start", ink: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{ink}">{escape(text)}</text>'
