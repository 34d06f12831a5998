"""YAML declarations, read into strict forms. This is the only file of the service zone that imports a YAML library."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from credit.errors import Malformed
from credit.messages import Text
from serving.i18n.field_faults import field_fault


class Declaration(BaseModel):
    """A form that accepts known keys alone, checks the declared types strictly, and is immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Form = TypeVar("Form", bound=Declaration)


def read_declaration(path: Path, schema: type[Form]) -> Form:
    """The declaration at `path`. Raises Malformed with the file's name and the first five errors."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return schema.model_validate(document)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Malformed(
            "declarations.cannot-be-read", why=Text.verbatim(type(error).__name__), path_name=path.name
        ) from error
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        why = Text.several(field_fault(".".join(map(str, each["loc"])), each) for each in errors[:5])
        raise Malformed("declarations.not-form", why=why, path_name=path.name) from None
