"""Pictures for reviewers (图片展示): drawn anew from their pixels, so that a browser gets nothing else."""

from __future__ import annotations

import io
import warnings

from PIL import Image, UnidentifiedImageError

from credit.errors import Broken

PIXELS = 25_000_000


def redrawn(content: bytes) -> bytes:
    """A PNG of the pixels of a PNG or JPEG; raises :class:`Broken` for one that is neither, or too large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as given:
                if given.width * given.height > PIXELS:
                    raise Broken("redrawing.picture-too-large-to-be", pixels=PIXELS)
                alpha = given.mode in ("RGBA", "LA", "PA") or "transparency" in given.info
                pixels = given.convert("RGBA" if alpha else "RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise Broken("redrawing.picture-cannot-be-shown") from error
    drawn = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())
    sink = io.BytesIO()
    drawn.save(sink, "PNG")
    return sink.getvalue()
