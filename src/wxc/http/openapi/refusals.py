"""Documents refusals: each as a schema, each combination of them as one response.

The refusals that any request may receive share one schema and one response, `TransportProblem`.
Each operation lists its other refusals.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wxc.http.openapi.declarations import headers
from wxc.http.problem_schemas import FieldError
from wxc.http.problems import problem_body
from wxc.http.refusals.access import CsrfFailed
from wxc.http.refusals.base import Refusal, all_refusals
from wxc.http.refusals.requests import (
    BodyTooLarge,
    DuplicateKey,
    HeadersTooLarge,
    JsonMalformed,
    JsonTooDeep,
    MalformedRequest,
    RequestTimeout,
    UnknownParameter,
    UnsupportedMediaType,
    UriTooLong,
    ValidationFailed,
)
from wxc.http.refusals.server import DeadlineExceeded, InternalError, Overloaded, Retry, Unavailable

PROBLEM_JSON = "application/problem+json"
TRANSPORT_PROBLEM = "TransportProblem"
TRANSPORT: tuple[type[Refusal], ...] = (
    MalformedRequest,
    JsonMalformed,
    JsonTooDeep,
    DuplicateKey,
    RequestTimeout,
    BodyTooLarge,
    UriTooLong,
    UnsupportedMediaType,
    HeadersTooLarge,
    InternalError,
    Unavailable,
    Retry,
    Overloaded,
    DeadlineExceeded,
)
"""The refusals that any request may receive, whatever its operation."""

_UNSAFE = ("post", "put", "patch", "delete")
_WITH_RETRY_AFTER = (429, 503)
_FIELD_ERROR_EXAMPLE = FieldError(
    pointer="query.limit",
    code="less_than_equal",
    message="Input should be less than or equal to 100",
)


def error_responses(*refusals: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route whose service may raise these refusals.

    FastAPI copies them into the document, where `ErrorResponses` replaces them by references.
    """
    by_status: dict[int | str, dict[str, Any]] = {}
    for refusal in sorted(refusals, key=lambda refusal: refusal.status):
        response = by_status.setdefault(
            refusal.status,
            {"description": "Refused.", "content": {PROBLEM_JSON: {"examples": {}}}},
        )
        response["content"][PROBLEM_JSON]["examples"] |= _example_references([refusal])
    return by_status


def codes_of(response: Mapping[str, Any]) -> list[str]:
    """The codes that a documented response may have; empty for a success."""
    return list(response.get("content", {}).get(PROBLEM_JSON, {}).get("examples", ()))


class ErrorResponses:
    """The error responses of a document: each combination of refusals once, by name."""

    def __init__(self) -> None:
        self.responses: dict[str, dict[str, Any]] = {}
        self._used: set[type[Refusal]] = set()

    def of_operation(
        self, method: str, own: Iterable[type[Refusal]], limits: Mapping[int, Sequence[str]]
    ) -> dict[str, Any]:
        """The error responses of an operation, by status, as references.

        `own` are the refusals of its service and its dependencies, `limits` the rate limit headers
        that they send, by status.
        """
        by_status: dict[int, set[type[Refusal]]] = {503: set()}
        for refusal in {*own, *_common(method)}.difference(TRANSPORT):
            by_status.setdefault(refusal.status, set()).add(refusal)
        references = {
            str(status): self._reference(status, by_status[status], limits.get(status, ()))
            for status in sorted(by_status)
        }
        return references | {"default": self._reference(None, (), ())}

    def schemas(self) -> dict[str, dict[str, Any]]:
        """The schema of each refusal that an operation lists, and `TransportProblem`."""
        problems = {
            refusal.__name__: _schema([refusal], refusal.detail()) for refusal in self._used
        }
        transport = _schema(TRANSPORT, "An error that any request may receive.")
        return problems | {TRANSPORT_PROBLEM: transport}

    def _reference(
        self, status: int | None, refusals: Iterable[type[Refusal]], limits: Sequence[str]
    ) -> dict[str, str]:
        """The response of these refusals and of the transport's with the same status.

        The status None is the response of OpenAPI's `default`.
        """
        own = _by_code(refusals)
        transport = [refusal for refusal in _by_code(TRANSPORT) if status in (None, refusal.status)]
        schemas = [refusal.__name__ for refusal in own] + ([TRANSPORT_PROBLEM] if transport else [])
        always_sent = ["Retry-After"] if status in _WITH_RETRY_AFTER else []
        suffix = "WithRateLimit" if limits else "WithRetryAfter" if not own and always_sent else ""
        name = "Or".join(schemas) + suffix
        self._used.update(own)
        self.responses[name] = _response(schemas, [*own, *transport], [*always_sent, *limits])
        return {"$ref": f"#/components/responses/{name}"}


def narrow_codes(schemas: dict[str, Any]) -> None:
    """Type the `code` of problems as `ErrorCode`, the enumeration of all codes."""
    for name in ("Problem", "ValidationProblem"):
        code = schemas[name]["properties"]["code"]
        schemas[name]["properties"]["code"] = {
            "$ref": "#/components/schemas/ErrorCode",
            "description": code["description"],
        }
    schemas["ErrorCode"] = {
        "type": "string",
        "enum": sorted(all_refusals()),
        "description": "All error codes. Each route lists those that it may return.",
    }


def problem_examples() -> dict[str, Any]:
    return {code: _example(refusal) for code, refusal in sorted(all_refusals().items())}


def _common(method: str) -> list[type[Refusal]]:
    """The refusals of every route, which none has to declare."""
    common: list[type[Refusal]] = [ValidationFailed, UnknownParameter]
    return [*common, CsrfFailed] if method in _UNSAFE else common


def _response(
    schemas: Sequence[str], refusals: Sequence[type[Refusal]], header_names: Sequence[str]
) -> dict[str, Any]:
    choices = [{"$ref": f"#/components/schemas/{name}"} for name in schemas]
    return {
        "description": "\n".join(
            f"* `{refusal.code()}`: {refusal.detail()}" for refusal in refusals
        ),
        "headers": headers(*header_names, "X-Request-ID"),
        "content": {
            PROBLEM_JSON: {
                "schema": choices[0] if len(choices) == 1 else {"oneOf": choices},
                "examples": _example_references(refusals),
            }
        },
    }


def _example_references(refusals: Iterable[type[Refusal]]) -> dict[str, Any]:
    return {
        refusal.code(): {"$ref": f"#/components/examples/{refusal.code()}"} for refusal in refusals
    }


def _schema(refusals: Sequence[type[Refusal]], description: str) -> dict[str, Any]:
    """The schema, with status and code as literals, so that clients can narrow by either."""
    statuses = sorted({refusal.status for refusal in refusals})
    codes = [refusal.code() for refusal in _by_code(refusals)]
    base = "ValidationProblem" if statuses == [ValidationFailed.status] else "Problem"
    literals = {
        "status": {"type": "integer", **_literal(statuses)},
        "code": {"type": "string", **_literal(codes)},
    }
    return {
        "description": description,
        "allOf": [
            {"$ref": f"#/components/schemas/{base}"},
            {"type": "object", "properties": literals, "required": list(literals)},
        ],
    }


def _by_code(refusals: Iterable[type[Refusal]]) -> list[type[Refusal]]:
    return sorted(refusals, key=lambda refusal: refusal.code())


def _literal(values: Sequence[object]) -> dict[str, Any]:
    return {"const": values[0]} if len(values) == 1 else {"enum": list(values)}


def _example(refusal: type[Refusal]) -> dict[str, Any]:
    parts = [_FIELD_ERROR_EXAMPLE] if refusal is ValidationFailed else []
    body = problem_body(
        refusal,
        instance="/",
        request_id="b4f1b1c2d3e4f5a6b7c8d9e0f1a2b3c4",
        errors=parts if refusal.status == ValidationFailed.status else None,
    )
    return {"summary": refusal.detail(), "value": json.loads(body)}
