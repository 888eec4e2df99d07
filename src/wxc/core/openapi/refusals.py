"""How refusals are documented: by status, each with its codes, its sentences and an example."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from wxc.core.errors import (
    BodyTooLarge,
    CsrfFailed,
    DeadlineExceeded,
    DuplicateKey,
    HeadersTooLarge,
    InternalError,
    InvalidPart,
    JsonMalformed,
    JsonTooDeep,
    MalformedRequest,
    Overloaded,
    Refusal,
    RequestTimeout,
    Retry,
    Unavailable,
    UnknownParameter,
    UnsupportedMediaType,
    UriTooLong,
    ValidationFailed,
    all_refusals,
    problem_body,
)
from wxc.core.openapi.declarations import headers

PROBLEM_JSON = "application/problem+json"
_UNSAFE = ("post", "put", "patch", "delete")
_LATER = (429, 503)  # what `Retry-After` goes with
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
_MISTAKE = InvalidPart(
    pointer="query.limit",
    code="less_than_equal",
    message="Input should be less than or equal to 100",
)


def documented(*refusals: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these refusals."""
    by_status: dict[int, list[type[Refusal]]] = {}
    for refusal in refusals:
        by_status.setdefault(refusal.status, []).append(refusal)
    return {status: _response(by_status[status]) for status in sorted(by_status)}


def is_refusal(response: Mapping[str, Any]) -> bool:
    """Whether a documented response is one of ours, and not FastAPI's own 422."""
    return PROBLEM_JSON in response.get("content", ())


def codes_of(response: Mapping[str, Any]) -> list[str]:
    """The codes that a documented response may carry; none if it is no refusal."""
    return list(response.get("content", {}).get(PROBLEM_JSON, {}).get("examples", ()))


def add_common_refusals(method: str, operation: dict[str, Any]) -> None:
    """What the edge may answer on any such route, so that no handler has to repeat it."""
    common: list[type[Refusal]] = list(_ALWAYS)
    if method in _UNSAFE:
        common += [CsrfFailed, Retry]
    if "requestBody" in operation:
        common += _WITH_BODY
    add_refusals(operation, common)


def add_refusals(operation: dict[str, Any], refusals: Sequence[type[Refusal]]) -> None:
    """Refusals beside those that the operation has already."""
    responses = operation["responses"]
    for status, response in documented(*dict.fromkeys(refusals)).items():
        responses[str(status)] = _merged(responses.get(str(status)), response)
    operation["responses"] = dict(sorted(responses.items()))


def narrow_codes(schemas: dict[str, Any]) -> None:
    """Put `ErrorCode`, which is every code there is, in the place of the problems' strings."""
    for name in ("Problem", "ValidationProblem"):
        code = schemas[name]["properties"]["code"]
        schemas[name]["properties"]["code"] = {
            "$ref": "#/components/schemas/ErrorCode",
            "description": code["description"],
        }
    schemas["ErrorCode"] = {
        "type": "string",
        "enum": sorted(all_refusals()),
        "description": "Every code. Each route names those that it may answer with.",
    }


def problem_examples() -> dict[str, Any]:
    """One example for each code."""
    return {code: _example(refusal) for code, refusal in sorted(all_refusals().items())}


def _merged(own: dict[str, Any] | None, common: dict[str, Any]) -> dict[str, Any]:
    """A route's own refusals of one status before the common ones."""
    if own is None or not is_refusal(own):
        return common
    known = all_refusals()
    codes = [*codes_of(own), *codes_of(common)]
    return _response([known[code] for code in dict.fromkeys(codes)]) | {
        "headers": own["headers"] | common["headers"]
    }


def _response(refusals: Sequence[type[Refusal]]) -> dict[str, Any]:
    """One status and its codes, both as literals, so that a client narrows by either."""
    status = refusals[0].status
    problem = "ValidationProblem" if status == ValidationFailed.status else "Problem"
    codes = [refusal.code() for refusal in refusals]
    narrowed = {
        "status": {"type": "integer", "const": status},
        "code": {"type": "string", "enum": codes},
    }
    return {
        "description": "\n".join(f"* `{one.code()}`: {one.sentence()}" for one in refusals),
        "headers": headers("Retry-After") if status in _LATER else {},
        "content": {
            PROBLEM_JSON: {
                "schema": {
                    "allOf": [
                        {"$ref": f"#/components/schemas/{problem}"},
                        {
                            "type": "object",
                            "properties": narrowed,
                            "required": list(narrowed),
                        },
                    ]
                },
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }


def _example(refusal: type[Refusal]) -> dict[str, Any]:
    parts = [_MISTAKE] if refusal is ValidationFailed else []
    body = problem_body(
        refusal,
        instance="/",
        request_id="b4f1b1c2d3e4f5a6b7c8d9e0f1a2b3c4",
        errors=parts if refusal.status == ValidationFailed.status else None,
    )
    return {"summary": refusal.sentence(), "value": json.loads(body)}
