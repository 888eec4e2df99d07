"""The modules to mutate, each with the few tests that have to detect its mutants."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_AUTH = "tests/accounts/auth"
_MATRIX = "tests/test_visibility.py"


@dataclass(frozen=True)
class Target:
    """A module and its tests."""

    module: str
    tests: Sequence[str]
    is_pure: bool = False
    """Whether its tests need no engine; they run without `tests/conftest.py`."""

    @property
    def file(self) -> Path:
        return ROOT / "src" / f"{self.module.replace('.', '/')}.py"


def _domain(name: str) -> Target:
    tests = [f"tests/exchange/domain/test_{one}.py" for one in (name, "values")]
    return Target(f"wxc.exchange.domain.{name}", tests, is_pure=True)


def _pure_auth(name: str, *tests: str) -> Target:
    return Target(f"wxc.accounts.auth.{name}", [f"{_AUTH}/{test}" for test in tests], is_pure=True)


def _auth(name: str, *tests: str) -> Target:
    here = [test if "/" in test else f"{_AUTH}/{test}" for test in tests]
    return Target(f"wxc.accounts.auth.{name}", here)


TARGETS: Sequence[Target] = (
    *map(_domain, ("chain", "freshness", "history", "hours", "quotes", "search")),
    _pure_auth("cookies", "test_cookies.py", "test_token_bounds.py"),
    _pure_auth("devices", "test_devices.py", "test_token_bounds.py"),
    _pure_auth("policies", "test_policies.py"),
    _pure_auth("tokens", "test_token_bounds.py", "test_tokens.py"),
    _pure_auth("usernames", "test_usernames.py"),
    _auth("dependencies", "test_csrf.py", "test_router.py", "test_refresh.py"),
    _auth("passwords", "test_passwords.py", "test_password_queue.py"),
    _auth("repository.accounts", "test_router.py", "test_login_limits.py", "test_identifiers.py"),
    _auth("repository.sessions", "test_refresh.py", "test_logout.py", "tests/accounts/sessions"),
    _auth("revocation", "test_revocation.py", "test_redis_lookup.py", "test_logout.py"),
    _auth("router", "test_router.py", "test_refresh.py", "test_logout.py"),
    _auth("schemas", "test_router.py", "tests/accounts/settings"),
    _auth("service.accounts", "test_router.py", "test_limits.py", "test_identifiers.py"),
    _auth("service.login", "test_router.py", "test_login_limits.py", "test_password_queue.py"),
    _auth("service.refresh", "test_refresh.py", "test_redis_lookup.py"),
    _auth("service.sessions", "test_logout.py", "test_revocation.py", "tests/accounts/sessions"),
    Target(
        "wxc.social.users.visibility",
        ["tests/social/relationships", "tests/social/users", _MATRIX],
    ),
    Target("wxc.social.comments.repository.visibility", ["tests/social/comments", _MATRIX]),
    Target(
        "wxc.social.notifications.repository.visibility", ["tests/social/notifications", _MATRIX]
    ),
)
