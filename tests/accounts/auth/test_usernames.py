"""Reserved usernames."""

import pytest

from wxc.accounts.auth.usernames import is_reserved


@pytest.mark.parametrize("name", ["admin", "Admin", "SUPPORT", "settings", "auth-check", "wxc"])
def test_names_of_roles_and_routes_are_reserved_in_any_case(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["ada", "admin_ada", "administration", "", "guest wxc"])
def test_other_names_are_not_reserved(name: str) -> None:
    assert not is_reserved(name)
