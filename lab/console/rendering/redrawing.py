"""Pictures for reviewers (图片展示): redrawn from their pixels, so that the browser receives nothing else."""

from __future__ import annotations

import io
import warnings

from PIL import Image, UnidentifiedImageError

from credit.errors import Broken

MAX_PIXELS = 25_000_000  # the largest picture that is shown


def redraw_as_png(content: bytes) -> bytes:
    """A PNG with the pixels of a PNG or JPEG; raises :class:`Broken` for other content and for too many pixels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise Broken("redrawing.picture-too-large-to-be", pixels=MAX_PIXELS)
                alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
                pixels = picture.convert("RGBA" if alpha else "RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise Broken("redrawing.picture-cannot-be-shown") from error
    drawn = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())
    sink = io.BytesIO()
    drawn.save(sink, "PNG")
    return sink.getvalue()
