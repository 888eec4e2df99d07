"""Plugin of pytest for mutants: repeatable examples of Hypothesis, no engines for pure code."""

import os

import pytest
from hypothesis import HealthCheck, settings
from pydantic import SecretStr

from wxc.core.config import Config

# No deadline: a test that fails because the machine is busy would count as a killed mutant.
settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutants")
os.environ["PUBLISHED_HOST"] = "127.0.0.1"  # the applications under test have weak secrets
_ENGINE_FIXTURES = {"app", "connection", "engine", "member", "redis", "stranger", "database_url"}


@pytest.fixture(scope="session")
def worker_id() -> str:
    """A separate database: the one of a mutant that timed out still exists."""
    return f"mutant_{os.getpid()}"


@pytest.fixture
def config() -> Config:
    """Without engines; `tests/conftest.py`, if loaded, overrides it."""
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
    """Without `tests/conftest.py`, deselect the tests that need its engines."""
    if config.getoption("noconftest"):
        items[:] = [item for item in items if not _ENGINE_FIXTURES & set(_fixtures(item))]


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))
