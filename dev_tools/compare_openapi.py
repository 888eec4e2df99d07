"""Compare what two OpenAPI documents promise, however they arrange it.

`python -m dev_tools.compare_openapi OLD NEW` resolves references and leaves out texts and
examples, so that a refactoring of the document shows only what it changes for a client:
operations, security, parameters, bodies, successful answers, and the refusals of each operation.

The codes of `TransportProblem` can be answered to any request. An operation that documents some
of them may document more, but not lose any. The exit status is 1 if anything differs.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dev_tools.console import say

_TEXTS = frozenset({"title", "summary", "description", "example", "examples"})
_TRANSPORT = "TransportProblem"
_PROBLEM_JSON = "application/problem+json"
_UNORDERED = frozenset({"allOf", "anyOf", "oneOf", "enum", "required"})
Json = Any
Document = Mapping[str, Json]
Codes = frozenset[tuple[str, str]]


def main() -> int:
    """Print the differences between two files, and how much was compared."""
    parser = argparse.ArgumentParser(prog="compare_openapi", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    chosen = parser.parse_args()
    old, new = json.loads(chosen.old.read_text()), json.loads(chosen.new.read_text())
    found = list(differences(old, new))
    say("\n".join([*found, _summary(old, new, len(found))]))
    return 1 if found else 0


def differences(old: Document, new: Document) -> Iterator[str]:
    """One line for each difference."""
    before, after = _operations(old), _operations(new)
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"{name}: removed"
        elif name not in before:
            yield f"{name}: added"
        else:
            yield from _changes(name, _promises(old, before[name]), _promises(new, after[name]))
            yield from _refusal_changes(name, old, new)
    lost = transport_codes(old) - transport_codes(new)
    gained = transport_codes(new) - transport_codes(old)
    if transport_codes(old) and (lost or gained):
        yield f"transport codes: lost {sorted(lost)}, gained {sorted(gained)}"


def refusals(document: Document, operation: Document) -> Codes:
    """Every (status, code) that an operation documents."""
    found: set[tuple[str, str]] = set()
    for status, response in operation["responses"].items():
        content = _resolved(document, response).get("content", {})
        schema = content.get(_PROBLEM_JSON, {}).get("schema", {})
        found.update(_codes(document, schema, status))
    return frozenset(found)


def transport_codes(document: Document) -> frozenset[str]:
    """The codes that any request can be answered with; none in a document without such a type."""
    schema = document.get("components", {}).get("schemas", {}).get(_TRANSPORT, {})
    return frozenset(code for _, code in _codes(document, schema, ""))


def _operations(document: Document) -> dict[str, Document]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def _promises(document: Document, operation: Document) -> dict[str, Json]:
    """The parts of an operation that are compared as they are, by name."""
    promises = {
        "operationId": operation["operationId"],
        "security": operation.get("security"),
        "body": _shape(document, operation.get("requestBody")),
    }
    for parameter in operation.get("parameters", ()):
        shape = _shape(document, parameter)
        promises[f"parameter {shape['in']}.{shape['name']}"] = shape
    for status, response in operation["responses"].items():
        if status < "400":
            answer = _resolved(document, response)
            promises[f"answer {status}"] = _shape(document, answer.get("content"))
            promises[f"headers of {status}"] = sorted(answer.get("headers", ()))
    return promises


def _changes(name: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[str]:
    for part in sorted(before.keys() | after.keys()):
        if before.get(part) != after.get(part):
            was, now = (json.dumps(side.get(part), sort_keys=True) for side in (before, after))
            yield f"{name}: {part}\n    was {was}\n    now {now}"


def _refusal_changes(name: str, old: Document, new: Document) -> Iterator[str]:
    transport = transport_codes(old) | transport_codes(new)
    before = refusals(old, _operations(old)[name])
    after = refusals(new, _operations(new)[name])
    lost = {pair for pair in before - after if pair[1] not in transport}
    gained = {pair for pair in after - before if pair[1] not in transport}
    if lost or gained:
        yield f"{name}: refusals: lost {sorted(lost)}, gained {sorted(gained)}"
    unsaid = {code for _, code in before} & transport - {code for _, code in after}
    if unsaid:
        yield f"{name}: transport codes: lost {sorted(unsaid)}"


def _codes(document: Document, schema: Document, status: str) -> Iterator[tuple[str, str]]:
    """The codes of a problem's schema; a status in the schema says more than `default`."""
    schema = _resolved(document, schema)
    for word in ("allOf", "anyOf", "oneOf"):
        for choice in schema.get(word, ()):
            yield from _codes(document, choice, status)
    fields = schema.get("properties", {})
    if "code" not in fields or "$ref" in fields["code"]:  # any code at all says nothing
        return
    own = str(fields.get("status", {}).get("const", status))
    for code in _values(fields["code"]):
        yield own, code


def _values(schema: Document) -> list[str]:
    return [schema["const"]] if "const" in schema else schema.get("enum", [])


def _resolved(document: Document, value: Document) -> Document:
    while "$ref" in value:
        found: Json = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        value = found
    return value


def _shape(document: Document, value: Json, inside: tuple[str, ...] = ()) -> Json:
    """A part with what it refers to in its place, without texts.

    `inside`: the references that are being resolved, so that a recursive schema comes to an end.
    """
    if isinstance(value, list):
        return [_shape(document, one, inside) for one in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if reference in inside:
        return {"recursive": len(inside) - inside.index(reference)}
    if reference is not None:
        return _shape(document, _resolved(document, value), (*inside, reference))
    return {
        word: _part(document, word, part, inside)
        for word, part in value.items()
        if word not in _TEXTS
    }


def _part(document: Document, word: str, part: Json, inside: tuple[str, ...]) -> Json:
    if word == "properties":  # whose names may be those of texts: a problem has a `title`
        return {name: _shape(document, field, inside) for name, field in part.items()}
    shape = _shape(document, part, inside)
    is_set = word in _UNORDERED and isinstance(shape, list)
    return sorted(shape, key=lambda one: json.dumps(one, sort_keys=True)) if is_set else shape


def _summary(old: Document, new: Document, count: int) -> str:
    transport = transport_codes(old) | transport_codes(new)
    operations = [len(_operations(document)) for document in (old, new)]
    own = [
        sum(
            code not in transport for each in found.values() for _, code in refusals(document, each)
        )
        for document, found in ((old, _operations(old)), (new, _operations(new)))
    ]
    return (
        f"{operations[0]} operations before, {operations[1]} after; "
        f"{own[0]} refusals of their own before, {own[1]} after; "
        f"{len(transport)} transport codes; {count} differences"
    )


if __name__ == "__main__":
    raise SystemExit(main())
