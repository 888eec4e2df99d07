"""Unexpected errors and outages are logged; the response does not contain them."""

import logging

import pytest

from wxc.http.problems import problem_response

SCOPE = {"type": "http", "method": "GET", "path": "/feeds", "headers": []}


@pytest.mark.parametrize(
    ("error", "status", "level"),
    [
        (RuntimeError("canary"), 500, logging.ERROR),
        (OSError("canary: certificate verify failed"), 503, logging.WARNING),
    ],
)
def test_unexpected_error_is_logged_and_not_sent(
    caplog: pytest.LogCaptureFixture, error: Exception, status: int, level: int
) -> None:
    answer = problem_response(SCOPE, error)

    (record,) = [record for record in caplog.records if record.name == "wxc.problems"]
    assert (answer.status_code, record.levelno) == (status, level)
    assert "canary" in record.getMessage()
    assert b"canary" not in bytes(answer.body)
    assert (record.exc_info is not None) == (status == 500)
