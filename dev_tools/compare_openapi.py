"""Compare two OpenAPI documents by the contract that a client sees, not by their layout.

`python -m dev_tools.compare_openapi OLD NEW` resolves references and ignores texts and examples.
It compares the operations: security, parameters, bodies, successful responses and refusals.

Any request can be answered with the codes of `TransportProblem`. An operation that documents some
of them may document more, but must not lose any. The exit status is 1 if anything differs.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dev_tools.console import print_out

_TEXT_KEYS = frozenset({"title", "summary", "description", "example", "examples"})
_TRANSPORT_SCHEMA = "TransportProblem"
_PROBLEM_JSON = "application/problem+json"
_UNORDERED_KEYS = frozenset({"allOf", "anyOf", "oneOf", "enum", "required"})
Json = Any
Document = Mapping[str, Json]
Codes = frozenset[tuple[str, str]]


def main() -> int:
    """Print the differences between two files and a summary; return 1 if there are any."""
    parser = argparse.ArgumentParser(prog="compare_openapi", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    arguments = parser.parse_args()
    old, new = json.loads(arguments.old.read_text()), json.loads(arguments.new.read_text())
    found = list(differences(old, new))
    print_out("\n".join([*found, _summary(old, new, len(found))]))
    return 1 if found else 0


def differences(old: Document, new: Document) -> Iterator[str]:
    """Yield one text for each difference; an empty iterator means equal documents."""
    before, after = _operations(old), _operations(new)
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"{name}: removed"
        elif name not in before:
            yield f"{name}: added"
        else:
            yield from _contract_changes(
                name, _contract(old, before[name]), _contract(new, after[name])
            )
            yield from _refusal_changes(name, old, new)
    lost = transport_codes(old) - transport_codes(new)
    gained = transport_codes(new) - transport_codes(old)
    if transport_codes(old) and (lost or gained):
        yield f"transport codes: lost {sorted(lost)}, gained {sorted(gained)}"


def refusals(document: Document, operation: Document) -> Codes:
    """Return each (status, code) that an operation documents, the shared ones included."""
    found: set[tuple[str, str]] = set()
    for status, response in operation["responses"].items():
        content = _resolve(document, response).get("content", {})
        schema = content.get(_PROBLEM_JSON, {}).get("schema", {})
        found.update(_codes_in(document, schema, status))
    return frozenset(found)


def transport_codes(document: Document) -> frozenset[str]:
    """Return the codes of `TransportProblem`; empty if the document has no such schema."""
    schema = document.get("components", {}).get("schemas", {}).get(_TRANSPORT_SCHEMA, {})
    return frozenset(code for _, code in _codes_in(document, schema, ""))


def _operations(document: Document) -> dict[str, Document]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def _contract(document: Document, operation: Document) -> dict[str, Json]:
    """Return the parts of an operation that must be equal, by name."""
    contract = {
        "operationId": operation["operationId"],
        "security": operation.get("security"),
        "body": _normalize(document, operation.get("requestBody")),
    }
    for parameter in operation.get("parameters", ()):
        normalized = _normalize(document, parameter)
        contract[f"parameter {normalized['in']}.{normalized['name']}"] = normalized
    for status, response in operation["responses"].items():
        if status < "400":
            answer = _resolve(document, response)
            contract[f"answer {status}"] = _normalize(document, answer.get("content"))
            contract[f"headers of {status}"] = sorted(answer.get("headers", ()))
    return contract


def _contract_changes(
    name: str, before: Mapping[str, Json], after: Mapping[str, Json]
) -> Iterator[str]:
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
    undocumented = {code for _, code in before} & transport - {code for _, code in after}
    if undocumented:
        yield f"{name}: transport codes: lost {sorted(undocumented)}"


def _codes_in(document: Document, schema: Document, status: str) -> Iterator[tuple[str, str]]:
    """Yield (status, code) of a problem's schema; its own status takes precedence."""
    schema = _resolve(document, schema)
    for key in ("allOf", "anyOf", "oneOf"):
        for choice in schema.get(key, ()):
            yield from _codes_in(document, choice, status)
    fields = schema.get("properties", {})
    if "code" not in fields or "$ref" in fields["code"]:  # a schema that allows any code
        return
    own = str(fields.get("status", {}).get("const", status))
    for code in _allowed_values(fields["code"]):
        yield own, code


def _allowed_values(schema: Document) -> list[str]:
    return [schema["const"]] if "const" in schema else schema.get("enum", [])


def _resolve(document: Document, value: Document) -> Document:
    while "$ref" in value:
        found: Json = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        value = found
    return value


def _normalize(document: Document, value: Json, parents: tuple[str, ...] = ()) -> Json:
    """Return the value with its references resolved and its texts removed.

    `parents` are the references being resolved; they end the recursion of a recursive schema.
    """
    if isinstance(value, list):
        return [_normalize(document, item, parents) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if reference in parents:
        return {"recursive": len(parents) - parents.index(reference)}
    if reference is not None:
        return _normalize(document, _resolve(document, value), (*parents, reference))
    return {
        key: _normalize_value(document, key, part, parents)
        for key, part in value.items()
        if key not in _TEXT_KEYS
    }


def _normalize_value(document: Document, key: str, part: Json, parents: tuple[str, ...]) -> Json:
    if key == "properties":  # a property may be named like a text: a problem has a `title`
        return {name: _normalize(document, field, parents) for name, field in part.items()}
    normalized = _normalize(document, part, parents)
    is_unordered = key in _UNORDERED_KEYS and isinstance(normalized, list)
    return (
        sorted(normalized, key=lambda item: json.dumps(item, sort_keys=True))
        if is_unordered
        else normalized
    )


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
        f"{own[0]} specific refusals before, {own[1]} after; "
        f"{len(transport)} transport codes; {count} differences"
    )


if __name__ == "__main__":
    raise SystemExit(main())
