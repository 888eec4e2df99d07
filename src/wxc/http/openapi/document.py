import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from wxc.http.openapi.declarations import (
    ANONYMOUS,
    EVENT_MODELS,
    HEADERS,
    headers,
    need_of,
    raised_by,
    sent_by,
)
from wxc.http.openapi.examples import Schemas, example_of
from wxc.http.openapi.refusals import ErrorResponses, codes_of, narrow_codes, problem_examples
from wxc.http.problem_schemas import Problem, ValidationProblem
from wxc.http.refusals.base import all_refusals

_SAFE = ("get", "head")
_JSON = "application/json"
_REPLACED = ("HTTPValidationError", "ValidationError")  # of FastAPI; this API never sends them


def operation_id(route: APIRoute) -> str:
    """`{tag}_{function}`: generators derive the function names of a client from it."""
    return f"{route.tags[0]}_{route.name}"


def install_openapi(
    app: FastAPI,
    *,
    tags: list[dict[str, Any]],
    routes: Iterable[APIRoute],
    schemes: Mapping[str, dict[str, Any]],
    csrf_scheme: str,
) -> None:
    """Make `app.openapi()` return the completed document, built once."""
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
    """The documented response for a status, with its reference resolved; empty if none."""
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
    """The security schemes of the route's dependencies, as alternatives; empty if it has none."""
    need = need_of(route.dependant)
    guards = [csrf_scheme] if need and need.is_guarded and method not in _SAFE else []
    operation["security"] = [
        {} if scheme == ANONYMOUS else {name: [] for name in (scheme, *guards)}
        for scheme in (need.schemes if need else ())
    ]


def _add_headers(operation: dict[str, Any], route: APIRoute) -> None:
    """Document the headers that the route's dependencies send."""
    sent = headers(*sent_by(route.dependant))
    for status, response in operation["responses"].items():
        own = response.get("headers", {}) | (sent if status < "300" else {})
        response["headers"] = own | headers("X-Request-ID")


def _refer_to_errors(
    method: str, operation: dict[str, Any], route: APIRoute, errors: ErrorResponses
) -> None:
    """Replace the refusals that routes and dependencies declare by references.

    Refusals send the rate limit headers too, except a 401 on routes that require a session: it is
    raised before anything is counted.
    """
    known, need = all_refusals(), need_of(route.dependant)
    answers = operation["responses"]
    declared = [known[code] for response in answers.values() for code in codes_of(response)]
    own = [*declared, *raised_by(route.dependant)]
    requires_login = need is not None and not need.is_optional
    limits = [name for name in sent_by(route.dependant) if name.startswith("RateLimit")]
    limits_by_status = {
        refusal.status: limits for refusal in own if not (requires_login and refusal.status == 401)
    }
    successes = {status: answer for status, answer in answers.items() if status < "400"}
    operation["responses"] = successes | errors.of_operation(method, own, limits_by_status)


def _tidy_parameters(operation: dict[str, Any]) -> None:
    """Remove the null type, since no parameter can be null, and repeated texts in the schema."""
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        choices = [choice for choice in schema.pop("anyOf", ()) if choice != {"type": "null"}]
        schema |= choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {}
        for key in ("title", "description"):
            schema.pop(key, None)
        if "examples" in schema:
            parameter["example"] = schema["examples"][0]


def _finish_components(components: dict[str, Any], errors: ErrorResponses) -> None:
    schemas: dict[str, Any] = components.setdefault("schemas", {})
    for name in _REPLACED:
        schemas.pop(name, None)
    models: list[type[Any]] = [Problem, ValidationProblem, *EVENT_MODELS]
    _, more = TypeAdapter.json_schemas(
        [(model.__name__, "serialization", TypeAdapter(model)) for model in models],
        ref_template="#/components/schemas/{model}",
    )
    components["schemas"] = schemas = more["$defs"] | schemas | errors.schemas()
    narrow_codes(schemas)
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            field.pop("title", None)  # only repeats the name
    for schema in schemas.values():
        if "examples" in schema:
            schema["examples"] = [example_of(schema, schemas)]
    components["schemas"] = dict(sorted(schemas.items()))
    components["responses"] = dict(sorted(errors.responses.items()))
    components["headers"] = HEADERS
    components["examples"] = problem_examples()


def _add_examples(document: dict[str, Any]) -> None:
    """Add an example to every body and response: not all tools read those of schemas."""
    schemas = document["components"]["schemas"]
    for _, operation in _operations(document):
        answers = [answer for status, answer in operation["responses"].items() if status < "300"]
        for answer in answers:
            _describe_success(answer, schemas)
        for part in (operation.get("requestBody", {}), *answers):
            _add_example(part, schemas)


def _add_example(part: Mapping[str, Any], schemas: Schemas) -> None:
    for media_type, content in part.get("content", {}).items():
        if "example" in content:
            continue
        content["example"] = (
            example_of(content["schema"], schemas)
            if media_type == _JSON
            else _events(content["itemSchema"]["oneOf"], schemas)
        )


def _events(choices: Sequence[Mapping[str, Any]], schemas: Schemas) -> str:
    """One event of each type, as the stream sends them."""
    fields = [choice["properties"] for choice in choices]
    return "".join(
        f"event: {event['event']['const']}\n"
        f"data: {json.dumps(example_of(event['data']['contentSchema'], schemas))}\n\n"
        for event in fields
    )


def _describe_success(answer: dict[str, Any], schemas: Schemas) -> None:
    """Use the description of the model instead of FastAPI's `Successful Response`."""
    if answer["description"] == "Successful Response":
        schema = answer.get("content", {}).get(_JSON, {}).get("schema", {})
        model = schemas.get(schema.get("$ref", "").rpartition("/")[2], {})
        answer["description"] = model.get("description", "Success, without a body.")
