"""Builds examples of bodies and responses from the examples of their models.

A nullable field that the example of a model omits is null, unless its type is a model: FastAPI
drops every null from an example.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict

Schemas = Mapping[str, dict[str, Any]]
_BY_FORMAT = {
    "date-time": "2026-05-04T09:30:00.000000Z",
    "uuid": "0198c2a4-7c1e-7d3a-9f00-5c2e4a7b1d90",
}


class NoExample(Exception):  # noqa: N818 - named after the missing part
    """A schema needs an example and has none."""


def example(fields: Mapping[str, Any]) -> ConfigDict:
    """The `model_config` of a model with this example."""
    return ConfigDict(json_schema_extra={"examples": [dict(fields)]})


def example_of(schema: Mapping[str, Any], schemas: Schemas) -> Any:  # noqa: ANN401 - any JSON
    """A valid value of a schema; raises `NoExample` if there is none for some part of it."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "properties" in schema:
        return _of_object(schema, schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    match schema:
        case {"anyOf": [first, *_]}:
            return example_of(first, schemas)
        case {"type": "array", "items": items}:
            return [example_of(items, schemas)]
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"type": "object", "maxProperties": 0}:
            return {}
        case {"type": "boolean"}:
            return True
        case {"type": "string", "format": ("date-time" | "uuid") as form}:
            return _BY_FORMAT[form]
    raise NoExample(schema)


def _of_object(schema: Mapping[str, Any], schemas: Schemas) -> dict[str, Any]:
    """The model's own example, completed by the other required fields."""
    own_example: dict[str, Any] = schema.get("examples", [{}])[0]
    fields, required = schema["properties"], schema.get("required", ())
    return {
        name: own_example[name]
        if name in own_example
        else _of_field(field, schemas, "examples" in schema)
        for name, field in fields.items()
        if name in own_example or name in required
    }


def _of_field(field: Mapping[str, Any], schemas: Schemas, has_example: bool) -> Any:  # noqa: ANN401
    choices = field.get("anyOf", ())
    if has_example and {"type": "null"} in choices and not _is_object(choices[0], schemas):
        return None
    return example_of(field, schemas)


def _is_object(schema: Mapping[str, Any], schemas: Schemas) -> bool:
    name = schema.get("$ref", "").rpartition("/")[2]
    return "properties" in schemas.get(name, schema)
