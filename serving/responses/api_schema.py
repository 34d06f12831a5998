"""The base class of every request and response form that the OpenAPI document shows."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


def published_name(schema: type[BaseModel]) -> str:
    """The name of a schema in `components/schemas` of the OpenAPI document and in its own `title`."""
    return schema.__qualname__


class ApiSchema(BaseModel):
    """A form with a public name, which stays the same when the class is renamed: banks generate code from it.

    The public name is the keyword `published` of the class statement, or else the class's name without the suffix
    `Schema`: `class ReasonSchema(ApiSchema)` is `Reason` in the document.
    """

    model_config = ConfigDict(model_title_generator=published_name)

    def __init_subclass__(cls, published: str = "", **config: Any) -> None:
        """Set the qualified name, after which pydantic and FastAPI name a definition."""
        super().__init_subclass__(**config)
        cls.__qualname__ = published or cls.__name__.removesuffix("Schema")
