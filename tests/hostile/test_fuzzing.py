"""A small run of `python -m tests.hostile.run`, and the faults that it finds."""

import httpx
import pytest
from tests.hostile.corpus import CANARY, operations
from tests.hostile.fuzzing import Request, faults
from tests.hostile.run import hostile_config, run_fuzzer

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
async def test_hostile_values_cause_no_malformed_answer_and_no_invalid_rows(
    fresh_database_url: str, redis_url: str
) -> None:
    report = await run_fuzzer(hostile_config(fresh_database_url, redis_url), range(1, 301), seed=1)

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
        (422, {"status": 400}, ["malformed problem"]),
        (422, {"code": "oops"}, ["malformed problem"]),
        (299, {}, ["undocumented status 299"]),
    ],
)
def test_faulty_answers_are_found(
    status: int, changes: dict[str, object], found: list[str]
) -> None:
    code = changes.get("code", PROBLEM["code"])
    problem = PROBLEM | {"type": f"/docs/errors/{code}"} | changes
    if status >= 500:
        del problem["errors"]
    headers = {"content-type": "application/problem+json", "x-request-id": "a1"}

    named = list(faults(REQUEST, httpx.Response(status, json=problem, headers=headers)))

    assert len(named) == len(found)
    for fault, start in zip(named, found, strict=True):
        assert fault.startswith(start)
