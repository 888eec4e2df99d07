"""Assertions about refusals: their form, no echo of the input, and no changed rows."""

from functools import cache

import httpx
from sqlalchemy import (
    ColumnClause,
    CompoundSelect,
    func,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.hostile.corpus import CANARY

from wxc.http.problem_schemas import Problem, ValidationProblem
from wxc.http.refusals.base import all_refusals
from wxc.models import AuditEvent, Base

VALID_FORM_STATUSES = (200, 201, 202, 204, 401, 403, 404, 409)
"""The statuses of responses to requests that are well-formed."""


def assert_refused(answer: httpx.Response, *codes: str) -> str:
    """Assert one of these refusals, well-formed and without the hostile value; returns its code."""
    assert_no_echo(answer)
    code = assert_well_formed(answer)
    assert code in codes, f"{answer.status_code}: {answer.content[:300]!r}"
    return code


def assert_well_formed(answer: httpx.Response) -> str:
    """Assert a problem document as it is documented; returns its code."""
    shown = f"{answer.status_code}: {answer.content[:300]!r}"
    assert answer.headers.get("content-type") == "application/problem+json", shown
    body = answer.content.decode("utf-8", "strict")
    form = ValidationProblem if answer.status_code == 422 else Problem
    problem = form.model_validate_json(body, strict=True, extra="forbid")
    assert problem.status == answer.status_code == _statuses().get(problem.code), shown
    assert problem.type == f"/docs/errors/{problem.code}"
    assert problem.request_id == answer.headers["x-request-id"]
    return problem.code


@cache
def _statuses() -> dict[str, int]:
    return {code: refusal.status for code, refusal in all_refusals().items()}


def assert_no_echo(answer: httpx.Response) -> None:
    """Assert that neither the body nor a header contains the hostile value."""
    headers = b"\n".join(name + b": " + value for name, value in answer.headers.raw)
    assert CANARY.encode() not in answer.content, answer.content[:300]
    assert CANARY.encode() not in headers, headers


def is_dead_link(answer: httpx.Response) -> bool:
    """Whether the request was well-formed and only its token is unknown."""
    return answer.status_code == 400 and answer.json()["code"] == "invalid_token"


async def snapshot(connection: AsyncConnection) -> dict[str, tuple[int, str]]:
    """The number of rows of each table, and a hash of their content.

    Without the audit trail, to which some refusals add a row.
    """
    result = await connection.execute(_summaries())
    return {table: (count, digest) for table, count, digest in result}


@cache
def _summaries() -> CompoundSelect[str, int, str]:
    """One statement for all tables, because most tests run it twice."""
    row: ColumnClause[str] = literal_column("t::text")
    rows = func.string_agg(row, aggregate_order_by(literal(" "), row))
    return union_all(
        *(
            select(
                literal(table.name), func.count(), func.coalesce(func.md5(rows), "")
            ).select_from(table.alias("t"))
            for table in Base.metadata.sorted_tables
            if table.name != AuditEvent.__tablename__
        )
    )
