"""How refusals are documented: each as a schema, each combination of them as one response.

What the transport may answer to any request, whatever it asks for, is one type with one response:
`TransportProblem`. An operation names its own refusals beside it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wxc.http.openapi.declarations import headers
from wxc.http.refusals import (
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
"""What any request can be answered with, before or beside what its operation decides."""

_UNSAFE = ("post", "put", "patch", "delete")
_WITH_RETRY_AFTER = (429, 503)
_MISTAKE = InvalidPart(
    pointer="query.limit",
    code="less_than_equal",
    message="Input should be less than or equal to 100",
)


def documented(*refusals: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route whose service may answer with these refusals.

    FastAPI copies them into the document, where `ErrorResponses` replaces them by references.
    """
    by_status: dict[int | str, dict[str, Any]] = {}
    for refusal in sorted(refusals, key=lambda one: one.status):
        response = by_status.setdefault(
            refusal.status,
            {"description": "Refused.", "content": {PROBLEM_JSON: {"examples": {}}}},
        )
        response["content"][PROBLEM_JSON]["examples"] |= _example_references([refusal])
    return by_status


def codes_of(response: Mapping[str, Any]) -> list[str]:
    """The codes that a documented response may carry; none if it is no refusal."""
    return list(response.get("content", {}).get(PROBLEM_JSON, {}).get("examples", ()))


class ErrorResponses:
    """The error responses of a document: every combination of refusals once, by name."""

    def __init__(self) -> None:
        self.responses: dict[str, dict[str, Any]] = {}
        """`components.responses`."""
        self._used: set[type[Refusal]] = set()

    def of_operation(
        self, method: str, own: Iterable[type[Refusal]], limits: Mapping[int, Sequence[str]]
    ) -> dict[str, Any]:
        """The error responses of an operation, by status, as references.

        `own` is what its service and its dependencies raise; `limits` the rate limit headers of
        those refusals, by status.
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
        """The problem of each refusal that an operation names, and `TransportProblem`."""
        problems = {one.__name__: _schema([one], one.sentence()) for one in self._used}
        transport = _schema(TRANSPORT, "An error that any request may be answered with.")
        return problems | {TRANSPORT_PROBLEM: transport}

    def _reference(
        self, status: int | None, refusals: Iterable[type[Refusal]], limits: Sequence[str]
    ) -> dict[str, str]:
        """The response of these refusals and, where the status is one of the transport's, its own.

        None as a status stands for all that are not named.
        """
        own = _by_code(refusals)
        transport = [one for one in _by_code(TRANSPORT) if status in (None, one.status)]
        schemas = [one.__name__ for one in own] + ([TRANSPORT_PROBLEM] if transport else [])
        sent = ["Retry-After"] if status in _WITH_RETRY_AFTER else []
        suffix = "WithRateLimit" if limits else "WithRetryAfter" if not own and sent else ""
        name = "Or".join(schemas) + suffix
        self._used.update(own)
        self.responses[name] = _response(schemas, [*own, *transport], [*sent, *limits])
        return {"$ref": f"#/components/responses/{name}"}


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


def _common(method: str) -> list[type[Refusal]]:
    """What the application refuses on every route, so that none has to repeat it."""
    refused: list[type[Refusal]] = [ValidationFailed, UnknownParameter]
    return [*refused, CsrfFailed] if method in _UNSAFE else refused


def _response(
    schemas: Sequence[str], refusals: Sequence[type[Refusal]], sent: Sequence[str]
) -> dict[str, Any]:
    choices = [{"$ref": f"#/components/schemas/{name}"} for name in schemas]
    return {
        "description": "\n".join(f"* `{one.code()}`: {one.sentence()}" for one in refusals),
        "headers": headers(*sent, "X-Request-ID"),
        "content": {
            PROBLEM_JSON: {
                "schema": choices[0] if len(choices) == 1 else {"oneOf": choices},
                "examples": _example_references(refusals),
            }
        },
    }


def _example_references(refusals: Iterable[type[Refusal]]) -> dict[str, Any]:
    return {one.code(): {"$ref": f"#/components/examples/{one.code()}"} for one in refusals}


def _schema(refusals: Sequence[type[Refusal]], description: str) -> dict[str, Any]:
    """Status and code as literals, so that a client narrows by either."""
    statuses = sorted({one.status for one in refusals})
    codes = [one.code() for one in _by_code(refusals)]
    base = "ValidationProblem" if statuses == [ValidationFailed.status] else "Problem"
    narrowed = {
        "status": {"type": "integer", **_literal(statuses)},
        "code": {"type": "string", **_literal(codes)},
    }
    return {
        "description": description,
        "allOf": [
            {"$ref": f"#/components/schemas/{base}"},
            {"type": "object", "properties": narrowed, "required": list(narrowed)},
        ],
    }


def _by_code(refusals: Iterable[type[Refusal]]) -> list[type[Refusal]]:
    return sorted(refusals, key=lambda one: one.code())


def _literal(values: Sequence[object]) -> dict[str, Any]:
    return {"const": values[0]} if len(values) == 1 else {"enum": list(values)}


def _example(refusal: type[Refusal]) -> dict[str, Any]:
    parts = [_MISTAKE] if refusal is ValidationFailed else []
    body = problem_body(
        refusal,
        instance="/",
        request_id="b4f1b1c2d3e4f5a6b7c8d9e0f1a2b3c4",
        errors=parts if refusal.status == ValidationFailed.status else None,
    )
    return {"summary": refusal.sentence(), "value": json.loads(body)}
