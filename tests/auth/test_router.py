from tests.browser import Browser
from tests.conftest import Member


async def test_a_member_who_logs_in_is_known_afterwards(member: Member) -> None:
    ada = await member("ada")

    answer = await ada.get("/auth-check")

    assert answer.status_code == 200
    assert answer.json()["user"]["username"] == "ada"
    assert answer.json()["csrf_token"] == ada.csrf_token


async def test_nobody_is_known_without_a_session(stranger: Browser) -> None:
    answer = await stranger.get("/auth-check")

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
