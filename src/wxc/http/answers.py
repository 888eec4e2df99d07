"""Response bodies as a `TypedDict` of JSON values; see docs/decisions/0024.

To serialise a page of twenty posts takes 4 µs from dictionaries, 20 µs through pydantic's
serialiser and 101 µs from models. The type checker finds fields that are missing, misspelt or of
the wrong type, and pydantic derives the schema.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, WithJsonSchema, with_config

Answer = TypeVar("Answer")

IdText = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
TimeText = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time, as formatted by `times.rfc3339`."""


def answer(example: Mapping[str, Any] | None = None) -> Callable[[type[Answer]], type[Answer]]:
    """Decorate a `TypedDict`: its field docstrings become OpenAPI descriptions.

    Fields that `example` omits must have examples themselves.
    """
    config = ConfigDict(use_attribute_docstrings=True)
    if example is not None:
        config["json_schema_extra"] = {"examples": [dict(example)]}
    return with_config(config)


def json_bytes(body: object) -> bytes:
    return body.model_dump_json().encode() if isinstance(body, BaseModel) else orjson.dumps(body)
