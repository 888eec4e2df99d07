"""The operations to attack, read from the OpenAPI document, so that new routes are included."""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import SecretStr

from wxc.app import create_app
from wxc.core.config import Config

CANARY = "Kanarienvogel"
"""Part of every hostile value; must never occur in a response."""

_MARK = "the value goes here"
_BODY = "application/json"
Schema = Mapping[str, Any]
Path = tuple[str | int, ...]


@cache
def document() -> dict[str, Any]:
    """The application's OpenAPI document; it does not depend on the configuration."""
    nowhere = Config(
        environment="development",
        published_host="127.0.0.1",
        database_url="postgresql://nowhere",
        redis_url="redis://nowhere",
        secret_key=SecretStr("s" * 40),
        jwt_secret_key=SecretStr("j" * 40),
        log_level="warning",
    )
    return create_app(nowhere).openapi()


def variants(schema: Schema) -> Iterator[Schema]:
    """The plain schemas of a schema, with references and unions resolved."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from variants(document()["components"]["schemas"][name])
        return
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices is None:
        yield schema
    for choice in choices or ():
        yield from variants(choice)


@dataclass(frozen=True)
class Slot:
    """A place for a value: a field of a body, or a parameter of a path or query."""

    path: Path
    schema: Schema

    def variant(self, kind: str) -> Schema | None:
        """The schema for values of this JSON type; None if the slot does not accept them."""
        return next((one for one in variants(self.schema) if one.get("type") == kind), None)

    @property
    def string(self) -> Schema | None:
        return self.variant("string")

    @property
    def pointer(self) -> str:
        return "".join(f"/{part}" for part in self.path)

    @property
    def is_password(self) -> bool:
        return self.string is not None and self.string.get("format") == "password"

    @property
    def is_token(self) -> bool:
        """Whether it takes a mailed token: all other values get the same refusal."""
        return self.string is not None and self.string.get("format") == "token"

    def admits(self, text: str) -> bool:
        """Whether the text matches the documented pattern, enumeration and bounds."""
        string = self.string
        if string is None or string.get("format") not in (None, "password"):
            return False
        return (
            re.search(string.get("pattern", ""), text) is not None
            and text in string.get("enum", [text])
            and string.get("minLength", 0) <= len(text) <= string.get("maxLength", len(text))
        )


@dataclass(frozen=True, eq=False)
class Operation:
    """A method of a path, as the document declares it."""

    method: str
    path: str
    declared: Mapping[str, Any]

    def __str__(self) -> str:
        return str(self.declared["operationId"])

    @property
    def tag(self) -> str:
        return str(self.declared["tags"][0])

    def parameters(self, place: str) -> list[Slot]:
        """The parameters in this place (`path`, `query` or `header`)."""
        found = self.declared.get("parameters", ())
        return [Slot((one["name"],), one["schema"]) for one in found if one["in"] == place]

    @property
    def needed(self) -> dict[str, str | None]:
        """The query parameters that the operation needs, with their first examples."""
        queries = [one for one in self.declared.get("parameters", ()) if one["in"] == "query"]
        names = {one["name"] for one in queries}
        needed = {
            one["name"]: one["schema"].get("examples", [None])[0]
            for one in queries
            if one["required"]
        }
        if {"amount", "to_amount"} <= names:  # one of the two is required
            needed["amount"] = "500"
        if {"lat", "lon"} <= names:  # both are required, or a conversion
            needed |= {"lat": "1.28", "lon": "103.85"}
        return needed

    @property
    def body_schema(self) -> Schema | None:
        body = self.declared.get("requestBody")
        return None if body is None else next(variants(body["content"][_BODY]["schema"]))

    @property
    def examples(self) -> list[dict[str, Any]]:
        """Valid bodies."""
        return list((self.body_schema or {}).get("examples", ()))

    @property
    def takes_token(self) -> bool:
        return any(slot.is_token for slot in self.parameters("path"))

    @property
    def slots(self) -> list[Slot]:
        """Every field of the body, and the nested fields that the first example has."""
        return list(_slots(self.body_schema or {}, self.examples[0], ()))

    @property
    def objects(self) -> list[Path]:
        """The paths of the objects in the first example."""
        return list(_objects(self.examples[0], ()))

    def valid_body(self) -> bytes | None:
        """A valid body; None if the operation takes none."""
        return json.dumps(self.examples[0]).encode() if self.examples else None

    def body_with(self, path: Path, source: bytes) -> bytes:
        """The first example with this JSON text at the path."""
        body = copy.deepcopy(self.examples[0])
        target: Any = body
        for part in path[:-1]:
            target = target[part]
        target[path[-1]] = _MARK
        return json.dumps(body).encode().replace(json.dumps(_MARK).encode(), source)

    def body_with_more(self, path: Path, source: bytes) -> bytes:
        """The first example with this member, as JSON text, first in the object at the path."""
        found: Any = self.examples[0]
        for part in path:
            found = found[part]
        whole = b"{%s, %s" % (source, json.dumps(found).encode()[1:])
        return self.body_with(path, whole) if path else whole


def _slots(schema: Schema, example: object, path: Path) -> Iterator[Slot]:
    for variant in variants(schema):
        if isinstance(example, list) and example and "items" in variant:
            yield Slot((*path, 0), variant["items"])
            yield from _slots(variant["items"], example[0], (*path, 0))
        if isinstance(example, dict):
            for name, field in variant.get("properties", {}).items():
                yield Slot((*path, name), field)
                yield from _slots(field, example.get(name), (*path, name))


def _objects(example: object, path: Path) -> Iterator[Path]:
    if isinstance(example, dict):
        yield path
        for name, value in example.items():
            yield from _objects(value, (*path, name))
    if isinstance(example, list) and example:
        yield from _objects(example[0], (*path, 0))


def _resolved(responses: Mapping[str, Any]) -> dict[str, Any]:
    named = document()["components"]["responses"]
    return {
        status: named[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for status, one in responses.items()
    }


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the document, its responses resolved."""
    return tuple(
        Operation(method.upper(), path, {**declared, "responses": _resolved(declared["responses"])})
        for path, methods in document()["paths"].items()
        for method, declared in methods.items()
    )


def operations_where(predicate: Callable[[Operation], object]) -> list[Operation]:
    return [operation for operation in operations() if predicate(operation)]


WITH_BODY = operations_where(lambda operation: operation.body_schema)
WITH_PATH = operations_where(lambda operation: operation.parameters("path"))
WITH_QUERY = operations_where(lambda operation: operation.parameters("query"))
LISTS = operations_where(
    lambda operation: any(one.path == ("cursor",) for one in operation.parameters("query"))
)
NEEDING_SESSION = operations_where(
    lambda operation: (
        "session_expired" in str(operation.declared["responses"].get("401"))
        and operation.method != "GET"
    )
)


def field_names() -> set[str]:
    """The names of all fields of requests and responses."""
    schemas = document()["components"]["schemas"].values()
    return {name for schema in schemas for name in schema.get("properties", {})}


def quoted(text: str) -> bytes:
    """The text as a JSON string; also for lone surrogates."""
    return json.dumps(text).encode()
