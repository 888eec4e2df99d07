import pytest
from tests.support.browser import Browser

APP = "https://app.example.com"


async def test_listed_origins_can_read_responses_and_errors(stranger: Browser) -> None:
    for path in ("/livez", "/auth-check", "/nope", "/feeds?limit=0"):
        answer = await stranger.get(path, headers={"Origin": APP})
        assert answer.headers["access-control-allow-origin"] == APP
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
        assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", f"{APP}.evil.example", "http://app.example.com", "*"],
)
async def test_other_origins_get_no_cors_headers(stranger: Browser, origin: str) -> None:
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}

    for answer in (
        await stranger.get("/livez", headers={"Origin": origin}),
        await stranger.request("OPTIONS", "/posts", headers=preflight),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert answer.headers["vary"] == "Origin"


async def test_preflight_of_a_listed_origin_is_accepted(stranger: Browser) -> None:
    headers = {
        "Origin": APP,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type, x-csrf-token, if-match",
    }

    answer = await stranger.request("OPTIONS", "/posts", headers=headers)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == APP


async def test_preflight_with_an_unknown_header_is_refused_with_a_problem(
    stranger: Browser,
) -> None:
    headers = {
        "Origin": APP,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-unknown",
    }

    answer = await stranger.request("OPTIONS", "/posts", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
