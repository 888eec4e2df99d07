"""A small part of `python -m tests.hostile.run`, in every run of the tests."""

import httpx
import pytest
from tests.hostile.assault import Request, faults
from tests.hostile.corpus import CANARY, operations
from tests.hostile.run import hostile_config, run_assault

REQUEST = Request(1, operations()[0], "/register", [], b"", [], ["gnomes & other folk"], "ada")
PROBLEM = {
    "type": "/docs/errors/validation_failed",
    "title": "Validation failed",
    "status": 422,
    "detail": "Please check what you have entered.",
    "instance": f"/users/{CANARY}",
    "code": "validation_failed",
    "request_id": "a1",
    "errors": [],
}


@pytest.mark.unmeasured
async def test_no_combination_of_hostile_values_breaks_an_answer_or_what_is_stored(
    fresh_database_url: str, redis_url: str
) -> None:
    report = await run_assault(hostile_config(fresh_database_url, redis_url), range(1, 301), seed=1)

    assert report.findings == []
    assert report.statuses.total() == 300


@pytest.mark.parametrize(
    ("status", "changes", "found"),
    [
        (422, {}, []),
        (500, {"code": "internal_error", "status": 500}, ["status 500"]),
        (503, {"code": "unavailable", "status": 503}, []),
        (422, {"detail": f"{CANARY}."}, ["echo of"]),
        (422, {"instance": f"/users/{CANARY}."}, ["echo of"]),
        (422, {"detail": "No gnomes & other folk."}, ["echo of"]),
        (422, {"status": 400}, ["no problem as documented"]),
        (422, {"code": "oops"}, ["no problem as documented"]),
        (299, {}, ["undocumented status 299"]),
    ],
)
def test_what_must_not_be_answered_is_found(
    status: int, changes: dict[str, object], found: list[str]
) -> None:
    code = changes.get("code", PROBLEM["code"])
    problem = PROBLEM | {"type": f"/docs/errors/{code}"} | changes
    if status >= 500:
        del problem["errors"]
    headers = {"content-type": "application/problem+json", "x-request-id": "a1"}

    named = list(faults(REQUEST, httpx.Response(status, json=problem, headers=headers)))

    assert [one.startswith(start) for one, start in zip(named, found, strict=True)] == [True] * len(
        found
    )
