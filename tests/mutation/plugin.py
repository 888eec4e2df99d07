"""For the tests of a mutant: the same examples each time, and no engine for pure code."""

import os

import pytest
from hypothesis import HealthCheck, settings
from pydantic import SecretStr

from wxc.core.config import Config

# A busy machine must not fail a test: that would count as a kill.
settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutants")
os.environ["PUBLISHED_HOST"] = "127.0.0.1"  # the applications under test have weak secrets
_NEEDING_ENGINES = {"app", "connection", "engine", "member", "redis", "stranger", "database_url"}


@pytest.fixture(scope="session")
def worker_id() -> str:
    """A database of its own: that of a mutant which never ended may still be there."""
    return f"mutant_{os.getpid()}"


@pytest.fixture
def config() -> Config:
    """Of an application that reaches nothing; `tests/conftest.py`, where loaded, has another."""
    return Config(
        environment="development",
        database_url="postgresql+asyncpg://nowhere",
        redis_url="redis://nowhere",
        secret_key=SecretStr("s" * 40),
        jwt_secret_key=SecretStr("j" * 40),
        cookie_secure=False,
        password_hash_memory=8,
        password_hash_rounds=1,
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `tests/conftest.py`, leave out what needs its engines."""
    if config.getoption("noconftest"):
        items[:] = [one for one in items if not _NEEDING_ENGINES & set(_fixtures(one))]


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))
