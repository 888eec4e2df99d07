"""The schema goes up, down and up again, with data in it, and is what the models say."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command

from tests.conftest import fill_with_noise
from tests.database import administer, drop_database, renamed
from wxc import migrations


@pytest.fixture
def empty_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database without a schema, to which the migrations lead."""
    server, name = os.environ["WXC_TEST_DATABASE_URL"], f"wxc_test_{uuid4().hex[:12]}"
    asyncio.run(administer(server, f'CREATE DATABASE "{name}"'))
    monkeypatch.setenv("DATABASE_DIRECT_URL", renamed(server, name))
    yield renamed(server, name)
    asyncio.run(drop_database(server, name))


def test_up_down_and_up_again_with_data_in_it(empty_url: str) -> None:
    config = migrations.alembic_config()

    migrations.migrate()
    asyncio.run(fill_with_noise(empty_url))
    command.downgrade(config, "base")
    migrations.migrate()

    command.check(config)  # raises where the models say something else
    migrations.migrate()  # at the head there is nothing to do


def test_two_runners_at_once_do_the_work_once(empty_url: str) -> None:
    async def both() -> list[int]:
        runs = [
            await asyncio.create_subprocess_exec("wxc", "migrate", env=_environment(empty_url))
            for _ in range(2)
        ]
        return [await run.wait() for run in runs]

    assert asyncio.run(both()) == [0, 0]


def _environment(url: str) -> dict[str, str]:
    return dict(os.environ) | {
        "ENVIRONMENT": "development",
        "DATABASE_URL": url,
        "REDIS_URL": "redis://nowhere",
        "SECRET_KEY": "s",
        "JWT_SECRET_KEY": "j",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


def test_outside_a_checkout_the_missing_folder_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(migrations, "__file__", "/nowhere/src/wxc/migrations.py")
    monkeypatch.chdir(tmp_path)
    migrations.schema_head.cache_clear()

    with pytest.raises(FileNotFoundError, match=r"alembic\.ini"):
        migrations.schema_head()
