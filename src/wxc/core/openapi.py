"""The OpenAPI document: what FastAPI declares, with our refusals in place of its 422."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from wxc.core.errors import (
    BodyTooLarge,
    CsrfFailed,
    DeadlineExceeded,
    DuplicateKey,
    HeadersTooLarge,
    InternalError,
    InvalidCursor,
    JsonMalformed,
    JsonTooDeep,
    MalformedRequest,
    Overloaded,
    Problem,
    Refusal,
    RequestTimeout,
    Retry,
    Unavailable,
    UnknownParameter,
    UnsupportedMediaType,
    UriTooLong,
    ValidationFailed,
    ValidationProblem,
    all_refusals,
    problem_body,
)

_PROBLEM_JSON = "application/problem+json"
_UNSAFE = ("post", "put", "patch", "delete")
_ALWAYS = (
    MalformedRequest,
    UriTooLong,
    HeadersTooLarge,
    ValidationFailed,
    UnknownParameter,
    InternalError,
    Unavailable,
    Overloaded,
    DeadlineExceeded,
)
_WITH_BODY = (
    JsonMalformed,
    JsonTooDeep,
    DuplicateKey,
    RequestTimeout,
    BodyTooLarge,
    UnsupportedMediaType,
)


def documented(*refusals: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these refusals."""
    by_status: dict[int, list[type[Refusal]]] = {}
    for refusal in refusals:
        by_status.setdefault(refusal.status, []).append(refusal)
    return {status: _response(by_status[status]) for status in sorted(by_status)}


def operation_id(route: APIRoute) -> str:
    """`{tag}_{function}`, from which generators make the names of a client's functions."""
    return f"{route.tags[0]}_{route.name}"


def install_openapi(app: FastAPI, *, tags: list[dict[str, Any]]) -> None:
    """Have `app.openapi()` return the finished document, built once."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _finish(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    description=app.description,
                    routes=app.routes,
                    tags=tags,
                )
            )
        return app.openapi_schema

    # FastAPI's documented way to extend the document.
    app.openapi = openapi  # type: ignore[method-assign]


def _finish(document: dict[str, Any]) -> dict[str, Any]:
    schemas: dict[str, Any] = document["components"].setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    _, problems = models_json_schema(
        [(Problem, "serialization"), (ValidationProblem, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    schemas.update(problems["$defs"])
    for operations in document["paths"].values():
        for method, operation in operations.items():
            _add_common_refusals(method, operation)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["examples"] = {
        code: _example(refusal) for code, refusal in sorted(all_refusals().items())
    }
    return document


def _add_common_refusals(method: str, operation: dict[str, Any]) -> None:
    """What the edge may answer on any such route, so that no handler has to repeat it."""
    common: list[type[Refusal]] = list(_ALWAYS)
    if method in _UNSAFE:
        common += [CsrfFailed, Retry]
    if "requestBody" in operation:
        common += _WITH_BODY
    if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ())):
        common.append(InvalidCursor)
    responses = operation["responses"]
    for status, response in documented(*common).items():
        responses[str(status)] = _merged(responses.get(str(status)), response)
    operation["responses"] = dict(sorted(responses.items()))


def _is_ours(response: Mapping[str, Any] | None) -> bool:
    return response is not None and _PROBLEM_JSON in response["content"]


def _merged(own: dict[str, Any] | None, common: dict[str, Any]) -> dict[str, Any]:
    """A route's own refusals of one status before the common ones."""
    if own is None or not _is_ours(own):
        return common
    known = all_refusals()
    codes = [
        *own["content"][_PROBLEM_JSON]["examples"],
        *common["content"][_PROBLEM_JSON]["examples"],
    ]
    return _response([known[code] for code in dict.fromkeys(codes)])


def _response(refusals: Sequence[type[Refusal]]) -> dict[str, Any]:
    """One status and its codes; the `enum` lets a client narrow `code`."""
    problem = "ValidationProblem" if refusals[0].status == 422 else "Problem"
    codes = [refusal.code() for refusal in refusals]
    return {
        "description": "\n".join(f"* `{one.code()}`: {one.sentence()}" for one in refusals),
        "content": {
            _PROBLEM_JSON: {
                "schema": {
                    "allOf": [
                        {"$ref": f"#/components/schemas/{problem}"},
                        {
                            "type": "object",
                            "properties": {"code": {"type": "string", "enum": codes}},
                            "required": ["code"],
                        },
                    ]
                },
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }


def _example(refusal: type[Refusal]) -> dict[str, Any]:
    body = problem_body(
        refusal,
        instance="/",
        request_id="b4f1b1c2d3e4f5a6b7c8d9e0f1a2b3c4",
        errors=[] if refusal.status == 422 else None,
    )
    return {"summary": refusal.sentence(), "value": json.loads(body)}
