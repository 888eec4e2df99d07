import json
import re

import pytest

from wxc.accounts.settings.errors import TooManyUsernameChanges
from wxc.http.problems import problem_response
from wxc.http.refusals.access import RateLimited
from wxc.http.refusals.base import Refusal, all_refusals

SCOPE = {"type": "http", "path": "/login"}


def _detail(refusal: Refusal) -> str:
    return str(json.loads(bytes(problem_response(SCOPE, refusal).body))["detail"])


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [
        (1, "1 second"),
        (30, "30 seconds"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (300, "5 minutes"),
        (3_600, "60 minutes"),
        (7_140, "119 minutes"),
        (7_141, "2 hours"),
        (7_201, "3 hours"),
        (47 * 3_600, "47 hours"),
        (47 * 3_600 + 1, "2 days"),
        (364 * 86_400 + 1, "365 days"),
    ],
)
def test_detail_states_the_wait_in_words_rounded_up(seconds: int, wait: str) -> None:
    assert _detail(RateLimited(retry_after=seconds)) == f"Too many attempts. Try again in {wait}."
    assert _detail(TooManyUsernameChanges(retry_after=seconds)).endswith(f"again in {wait}.")


def test_retry_after_and_detail_of_a_response_agree() -> None:
    response = problem_response(SCOPE, RateLimited(retry_after=90))

    assert response.headers["retry-after"] == "90"
    assert json.loads(bytes(response.body))["detail"].endswith("in 2 minutes.")


def test_documented_details_have_no_placeholders() -> None:
    for refusal in all_refusals().values():
        assert not re.search("[{}]", refusal.detail()), refusal
