"""Nobody is called like the service or its staff, whatever stands around the name."""

import pytest
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import PASSWORD

from wxc.accounts.auth.usernames import RESERVED, is_reserved

AROUND = ("_{}", "{}_", "__{}__", "{}1", "1{}", "{}_2026", "2026_{}", "_1_{}_2_", "{0}_{0}")
REFUSED = (
    *("wxc_support", "__admin__", "support1", "admin_2026", "ADMIN_", "Support_Team", "_root_"),
    *("wxc_ada", "ada_admin", "the_moderator_7", "Staff_Ada", "wxc2026", "1security1"),
)
ALLOWED = ("ada_1", "administratrix", "supporter", "my_news_blog", "tan_exchange", "___", "12345")


@pytest.mark.parametrize("username", REFUSED)
async def test_registration_refuses_a_reserved_name_between_underscores_and_digits(
    stranger: Browser, username: str
) -> None:
    account = {"username": username, "email": "a@example.com", "password": PASSWORD}

    answer = await stranger.post("/register", json=account)

    assert (answer.status_code, answer.json()["code"]) == (422, "username_reserved")


@pytest.mark.parametrize("username", REFUSED)
async def test_username_change_refuses_a_reserved_name_between_underscores_and_digits(
    member: Member, username: str
) -> None:
    ada = await member("ada")
    body = {"username": username, "current_password": PASSWORD}

    answer = await ada.put("/settings/username", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "username_reserved")


@pytest.mark.parametrize("username", ALLOWED)
async def test_names_that_contain_reserved_letters_only_are_free(
    stranger: Browser, username: str
) -> None:
    account = {"username": username, "email": "a@example.com", "password": PASSWORD}

    assert (await stranger.post("/register", json=account)).status_code == 201


def test_every_reserved_name_is_reserved_between_underscores_and_digits() -> None:
    names = [name for name in RESERVED if "-" not in name]
    free = [form.format(name) for name in names for form in AROUND]

    assert [name for name in free if not is_reserved(name)] == []
