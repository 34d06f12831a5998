"""Declarations as data: YAML read strictly into a form that knows every key; the one door to YAML in this zone."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from credit.errors import Malformed
from credit.messages import Text
from serving.i18n.field_faults import field_fault


class Declaration(BaseModel):
    """A form whose keys are all known, whose values are of the declared types, and which nobody changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Form = TypeVar("Form", bound=Declaration)


def read_declaration(path: Path, form: type[Form]) -> Form:
    """The declaration at `path`. Raises Malformed naming the file and every place at fault."""
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        return form.model_validate(told)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Malformed(
            "declarations.cannot-be-read", why=Text.verbatim(type(error).__name__), path_name=path.name
        ) from error
    except ValidationError as bad:
        faults = bad.errors(include_url=False, include_input=False)
        why = Text.several(field_fault(".".join(map(str, fault["loc"])), fault) for fault in faults[:5])
        raise Malformed("declarations.not-form", why=why, path_name=path.name) from None
