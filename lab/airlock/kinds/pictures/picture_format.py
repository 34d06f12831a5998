"""The format of pictures (图片格式): PNG and JPEG are read into a reduced picture, which leaves as a PNG."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from credit.messages import Text
from lab.airlock.issue import Issue, as_finding, fail, review
from lab.airlock.kinds.file_format import ModelFindings, ReadFile
from lab.airlock.kinds.pictures.file_parts import jpeg_issues, png_issues
from lab.airlock.kinds.pictures.reduced import PictureModel, encoded, reduced
from lab.airlock.kinds.shown import PictureBlock, Shown
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """Pictures in one file format; ``parts`` gives what a file of it holds beside its picture."""

    name: str  # as the decoder calls the format
    parts: Callable[[bytes, Thresholds], Iterable[Issue]]

    def read(self, content: bytes, t: Thresholds) -> ReadFile[PictureModel] | Issue:
        """The reduced picture; the issue for a file that holds anything beside it, and for too many pixels."""
        hidden = next(iter(self.parts(content, t)), None)
        if hidden is not None:
            return hidden
        model = reduced(content, self.name, t)
        if isinstance(model, Issue):
            return model
        return ReadFile(model, {} if encoded(model) == content else {"airlock.rewritten-picture": len(model.colours)})

    def judge(self, name: str, model: PictureModel, about: FileDescription, t: Thresholds) -> ModelFindings:
        """Every picture needs a person's eyes; one that does not compress is refused, since it is no drawing."""
        size, most = len(encoded(model)), t["picture_bytes_at_most"]
        if size > most:
            why = Text.of("airlock.picture-busy", size=size, most=most)
            return ModelFindings((as_finding("what it shows", name, fail(why, Text.of("airlock.picture-busy-fix"))),))
        seen = review(
            Text.of("airlock.picture-content"), Text.of("airlock.picture-content-fix"),
            width=model.width, height=model.height, colours=len(model.colours), could_carry_bytes=size,
        )  # fmt: skip
        return ModelFindings((as_finding("what it shows", name, seen),))

    def show(self, model: PictureModel) -> Shown:
        """The picture as it leaves. It can carry no more than its compressed bytes."""
        png = encoded(model)
        return Shown((PictureBlock(png),), len(png))

    def write(self, name: str, model: PictureModel) -> dict[str, bytes]:
        """The picture as a PNG, whatever it was given as."""
        return {f"{name.rpartition('.')[0]}.png": encoded(model)}


PNG = PictureFormat("PNG", png_issues)
JPEG = PictureFormat("JPEG", jpeg_issues)
