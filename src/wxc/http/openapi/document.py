"""How the document is finished, once FastAPI has written down what it knows."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from wxc.http.openapi.declarations import (
    HEADERS,
    NOTHING,
    STREAMED,
    headers,
    need_of,
    raised_by,
    sent_by,
)
from wxc.http.openapi.examples import Schemas, example_of
from wxc.http.openapi.refusals import ErrorResponses, codes_of, narrow_codes, problem_examples
from wxc.http.refusals import Problem, ValidationProblem, all_refusals

_SAFE = ("get", "head")
_JSON = "application/json"
_REPLACED = ("HTTPValidationError", "ValidationError")  # FastAPI's own, never answered


def operation_id(route: APIRoute) -> str:
    """`{tag}_{function}`, from which generators make the names of a client's functions."""
    return f"{route.tags[0]}_{route.name}"


def install_openapi(
    app: FastAPI,
    *,
    tags: list[dict[str, Any]],
    routes: Iterable[APIRoute],
    schemes: Mapping[str, dict[str, Any]],
    csrf_scheme: str,
) -> None:
    """Have `app.openapi()` return the finished document, built once, in the order of `routes`."""
    by_operation = {operation_id(route): route for route in routes}

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=tags,
            )
            paths = dict.fromkeys(route.path for route in by_operation.values())
            found = document["paths"]  # in the order in which routers are tried
            document["paths"] = {path: found[path] for path in paths if path in found}
            document["components"]["securitySchemes"] = dict(schemes)
            errors = ErrorResponses()
            for method, operation in _operations(document):
                route = by_operation[operation["operationId"]]
                _add_security(method, operation, route, csrf_scheme)
                _add_headers(operation, route)
                _refer_to_errors(method, operation, route, errors)
                _tidy_parameters(operation)
            _finish_components(document["components"], errors)
            _add_examples(document)
            app.openapi_schema = document
        return app.openapi_schema

    # FastAPI's documented way to extend the document.
    app.openapi = openapi  # type: ignore[method-assign]


def answer_with(
    document: Mapping[str, Any], operation: Mapping[str, Any], status: int
) -> dict[str, Any]:
    """What an operation documents for a status, references resolved; empty for nothing at all."""
    responses = operation["responses"]
    found: dict[str, Any] = responses.get(str(status), responses.get("default", {}))
    name = found.get("$ref", "").rpartition("/")[2]
    return document["components"]["responses"][name] if name else found


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for operations in document["paths"].values():
        yield from operations.items()


def _add_security(
    method: str, operation: dict[str, Any], route: APIRoute, csrf_scheme: str
) -> None:
    """What the route's dependencies need, as alternatives; an empty list is nothing at all."""
    need = need_of(route.dependant)
    guards = [csrf_scheme] if need and need.is_guarded and method not in _SAFE else []
    operation["security"] = [
        {} if scheme == NOTHING else {name: [] for name in (scheme, *guards)}
        for scheme in (need.schemes if need else ())
    ]


def _add_headers(operation: dict[str, Any], route: APIRoute) -> None:
    """What the route's dependencies send on success."""
    sent = headers(*sent_by(route.dependant))
    for status, response in operation["responses"].items():
        own = response.get("headers", {}) | (sent if status < "300" else {})
        response["headers"] = own | headers("X-Request-ID")


def _refer_to_errors(
    method: str, operation: dict[str, Any], route: APIRoute, errors: ErrorResponses
) -> None:
    """Put references in the place of what routes and dependencies say of their refusals.

    Refusals carry the rate limits too, but for a missing session: it is noticed before anything
    is counted.
    """
    known, need = all_refusals(), need_of(route.dependant)
    answers = operation["responses"]
    said = [known[code] for response in answers.values() for code in codes_of(response)]
    own = [*said, *raised_by(route.dependant)]
    is_gated = need is not None and not need.is_optional
    limits = [name for name in sent_by(route.dependant) if name.startswith("RateLimit")]
    limited = {one.status: limits for one in own if not (is_gated and one.status == 401)}
    kept = {status: answer for status, answer in answers.items() if status < "400"}
    operation["responses"] = kept | errors.of_operation(method, own, limited)


def _tidy_parameters(operation: dict[str, Any]) -> None:
    """Neither a query nor a header can say null, and one description of each is enough."""
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        choices = [one for one in schema.pop("anyOf", ()) if one != {"type": "null"}]
        schema |= choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {}
        for word in ("title", "description"):
            schema.pop(word, None)
        if "examples" in schema:
            parameter["example"] = schema["examples"][0]


def _finish_components(components: dict[str, Any], errors: ErrorResponses) -> None:
    schemas: dict[str, Any] = components.setdefault("schemas", {})
    for name in _REPLACED:
        schemas.pop(name, None)
    models: list[type[Any]] = [Problem, ValidationProblem, *STREAMED]
    _, more = TypeAdapter.json_schemas(
        [(model.__name__, "serialization", TypeAdapter(model)) for model in models],
        ref_template="#/components/schemas/{model}",
    )
    components["schemas"] = schemas = more["$defs"] | schemas | errors.schemas()
    narrow_codes(schemas)
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            field.pop("title", None)  # says no more than the name
    for schema in schemas.values():
        if "examples" in schema:
            schema["examples"] = [example_of(schema, schemas)]
    components["schemas"] = dict(sorted(schemas.items()))
    components["responses"] = dict(sorted(errors.responses.items()))
    components["headers"] = HEADERS
    components["examples"] = problem_examples()


def _add_examples(document: dict[str, Any]) -> None:
    """Of every body and every answer, in so many words: not all tools look into schemas."""
    schemas = document["components"]["schemas"]
    for _, operation in _operations(document):
        answers = [one for status, one in operation["responses"].items() if status < "300"]
        for answer in answers:
            _describe_success(answer, schemas)
        for part in (operation.get("requestBody", {}), *answers):
            for kind, content in part.get("content", {}).items():
                if "example" in content:
                    continue
                content["example"] = (
                    example_of(content["schema"], schemas)
                    if kind == _JSON
                    else _events(content["itemSchema"]["oneOf"], schemas)
                )


def _events(choices: Sequence[Mapping[str, Any]], schemas: Schemas) -> str:
    """One of each, as they come over the wire."""
    fields = [choice["properties"] for choice in choices]
    return "".join(
        f"event: {one['event']['const']}\n"
        f"data: {json.dumps(example_of(one['data']['contentSchema'], schemas))}\n\n"
        for one in fields
    )


def _describe_success(answer: dict[str, Any], schemas: Schemas) -> None:
    """What the model says of itself, in place of FastAPI's `Successful Response`."""
    if answer["description"] == "Successful Response":
        schema = answer.get("content", {}).get(_JSON, {}).get("schema", {})
        said = schemas.get(schema.get("$ref", "").rpartition("/")[2], {})
        answer["description"] = said.get("description", "Done; there is nothing to tell.")
