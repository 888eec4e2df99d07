"""Refused log-ins, registrations and forged requests are audited; unchanged names are not."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.audit_log import audit_events, latest_audit_event
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_user


@pytest.mark.parametrize("name", ["ada", "nobody_at_all"])
async def test_throttled_logins_are_audited_within_a_bound(
    stranger: Browser, connection: AsyncConnection, name: str
) -> None:
    ada = await make_user(connection, "ada")
    statuses = [(await stranger.log_in(name, "not her password")).status_code for _ in range(40)]

    assert statuses[-1] == 429
    rows = await audit_events(connection, ada if name == "ada" else None)
    throttled = [row for row in rows if row.event == "login_throttled"]
    assert 1 <= len(throttled) <= 20
    assert throttled[0].detail == rows[0].detail


async def test_registration_is_audited(stranger: Browser, connection: AsyncConnection) -> None:
    account = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
    answer = await stranger.post("/register", json=account)

    event = await latest_audit_event(connection, answer.json()["id"])
    assert (event["event"], event["actor"], event["detail"]) == ("registered", "client", {})


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}])
async def test_request_of_a_foreign_page_is_audited_for_the_attacked_member(
    member: Member, connection: AsyncConnection, headers: dict[str, str]
) -> None:
    ada = await member("ada")
    for _ in range(15):
        assert (await ada.post("/logout", headers=headers)).json()["code"] == "csrf_failed"

    events = [row for row in await audit_events(connection, ada.id) if row.event != "login"]
    assert {row.event for row in events} == {"access_refused"}
    assert 1 <= len(events) <= 20


async def test_identical_username_or_address_is_no_event(
    member: Member, connection: AsyncConnection
) -> None:
    ada = await member("ada")
    for path, body in (
        ("/settings/username", {"username": "ada"}),
        ("/settings/email", {"email": "ada@example.com"}),
    ):
        answer = await ada.put(path, json=body | {"current_password": PASSWORD})
        assert answer.is_success

    assert [row.event for row in await audit_events(connection, ada.id)] == ["login"]
