"""Examples of bodies and answers: a model names those of its own fields, its parts name theirs."""

from collections.abc import Mapping
from typing import Any

Schemas = Mapping[str, dict[str, Any]]
_BY_FORMAT = {
    "date-time": "2026-05-04T09:30:00.000000Z",
    "uuid": "0198c2a4-7c1e-7d3a-9f00-5c2e4a7b1d90",
}


class NoExample(Exception):  # noqa: N818 - a fact about a schema
    """A schema says nothing that an example could be made of."""


def example_of(schema: Mapping[str, Any], schemas: Schemas) -> Any:  # noqa: ANN401 - any JSON
    """A value of a schema; raises `NoExample` where a field or its model has to name one."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "properties" in schema:
        return _of_object(schema, schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return _of_choices(schema[word], schemas)
    match schema:
        case {"type": "array", "items": items}:
            return [example_of(items, schemas)]
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"type": "boolean"}:
            return True
        case {"type": "string", "format": ("date-time" | "uuid") as form}:
            return _BY_FORMAT[form]
    raise NoExample(schema)


def _of_object(schema: Mapping[str, Any], schemas: Schemas) -> dict[str, Any]:
    """What the model says of its fields, and whatever else is required."""
    said: dict[str, Any] = (schema.get("examples") or [{}])[0]
    names = [name for name in schema["properties"] if name in {*said, *schema.get("required", ())}]
    return {
        name: said[name] if name in said else example_of(schema["properties"][name], schemas)
        for name in names
    }


def _of_choices(choices: list[dict[str, Any]], schemas: Schemas) -> Any:  # noqa: ANN401 - any JSON
    """Of the first that has one; null last."""
    for choice in choices:
        try:
            return example_of(choice, schemas)
        except NoExample:
            continue
    if {"type": "null"} in choices:
        return None
    raise NoExample(choices)
