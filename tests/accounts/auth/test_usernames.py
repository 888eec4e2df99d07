"""Reserved usernames."""

import pytest

from wxc.accounts.auth.usernames import is_reserved


@pytest.mark.parametrize("name", ["admin", "Admin", "SUPPORT", "settings", "auth-check", "wxc"])
def test_names_of_roles_and_routes_are_reserved_in_any_case(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["admin_ada", "ada_Support_1", "wxc2026", "moderator7_bob"])
def test_names_that_contain_the_name_of_a_staff_role_are_reserved(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["settings_2", "_guest_", "feed_news", "1login"])
def test_names_of_reserved_words_only_are_reserved(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name", ["ada", "administration", "ada_settings", "guest_ada", "", "_", "42", "guest wxc"]
)
def test_other_names_are_not_reserved(name: str) -> None:
    assert not is_reserved(name)
