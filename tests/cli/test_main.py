import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer.main
import uvicorn
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import owner_url
from tests.support.server import free_port
from typer.testing import CliRunner

from wxc.cli import main as cli
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.db import recount
from wxc.demo import exchanges as demo_exchanges
from wxc.demo import members as demo
from wxc.exchange.history.service import verification
from wxc.server import runner as serving
from wxc.worker import runner as worker

run = CliRunner()


@pytest.fixture
def _environment(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ENVIRONMENT": "development",
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": "s" * 40,
        "JWT_SECRET_KEY": "j" * 40,
        "COOKIE_SECURE": "false",
        "LOG_LEVEL": "warning",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def empty_url(fresh_database_url: str) -> str:
    connection = await asyncpg.connect(owner_url(fresh_database_url).replace("+asyncpg", ""))
    for table in ("rate_events", "exchange_confirmations"):  # append-only by trigger
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    await connection.execute("TRUNCATE users CASCADE")
    for table in ("rate_events", "exchange_confirmations"):
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    await connection.close()
    return fresh_database_url


@pytest.fixture
def production(_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ENVIRONMENT": "production",
        "COOKIE_SECURE": "true",
        "SECRET_KEY": "kJ8fQ2mZx7Lw4Rt9Vb3Ny6Hc1Pg5Sd0A-1",
        "JWT_SECRET_KEY": "Zx7Lw4Rt9Vb3Ny6Hc1Pg5Sd0AkJ8fQ2m-2",
    }.items():
        monkeypatch.setenv(name, value)


class TestConfiguration:
    def test_serve_names_every_invalid_setting_and_exits_with_2(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in Config.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.setenv("DATABASE_URL", "mysql://db")

        answer = run.invoke(cli.app, ["serve"])

        assert answer.exit_code == 2
        for name in ("DATABASE_URL: must start with", "REDIS_URL: Field", "SECRET_KEY: Field"):
            assert f"wxc: {name}" in answer.stderr

    @pytest.mark.usefixtures("_environment")
    def test_serve_refuses_weak_secrets_in_production(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ENVIRONMENT", "production")

        answer = run.invoke(cli.app, ["serve"])

        assert answer.exit_code == 2
        assert "SECRET_KEY must be 32 random bytes or more" in answer.stderr

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DATABASE_URL", "mysql://db"),
            ("DATABASE_URL", ""),
            ("REDIS_URL", "http://redis"),
            ("DATABASE_POOL_SIZE", "many"),
            ("FORWARDED_ALLOW_IPS", "*"),
            ("COOKIE_SECURE", "false"),
            ("CORS_ORIGINS", "*"),
            ("SECRET_KEY", "short"),
            ("JWT_SECRET_KEY", "change-me" * 8),
            ("MAIL_FROM", "nobody"),
            ("METRICS_PORT", "70000"),
            ("LIMIT_LOGIN_PER_IP", "often"),
            ("SHUTDOWN_DRAIN", "0"),
            ("FRONTEND_URL", "app.example.com"),
            ("LOG_FORMAT", "xml"),
        ],
    )
    def test_every_command_names_the_invalid_setting(
        self, monkeypatch: pytest.MonkeyPatch, production: None, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)

        for command in (["config", "check"], ["serve"], ["worker"], ["migrate"]):
            answer = run.invoke(cli.app, command)
            assert answer.exit_code == 2
            assert name in answer.stderr
            assert "SECRET" not in name or value not in answer.stderr

    @pytest.mark.usefixtures("production")
    def test_config_check_shows_settings_without_secrets(self, config: Config) -> None:
        shown = run.invoke(cli.app, ["config", "check", "--connect"])
        as_json = run.invoke(cli.app, ["config", "check", "--json"])

        assert (shown.exit_code, as_json.exit_code) == (0, 0), shown.output
        assert "The settings are valid." in shown.output
        known = json.loads(as_json.output)
        assert known.keys() == {name.upper() for name in Config.model_fields}
        assert (known["SECRET_KEY"], known["BODY_LIMIT"]) == ("(secret)", 256 * 1024)
        for output in (shown.output, as_json.output):
            assert "kJ8fQ2" not in output
            for url in (config.database_url, config.redis_url):
                assert url.partition("@")[0].rpartition(":")[2] not in output

    @pytest.mark.usefixtures("production")
    @pytest.mark.parametrize(
        ("name", "url", "message"),
        [
            ("DATABASE_URL", "postgresql://a@127.0.0.1:1/b", "The database cannot be reached"),
            ("REDIS_URL", "redis://127.0.0.1:1", "Redis cannot be reached"),
        ],
    )
    def test_config_check_names_the_unreachable_engine(
        self, monkeypatch: pytest.MonkeyPatch, name: str, url: str, message: str
    ) -> None:
        monkeypatch.setenv(name, url)

        answer = run.invoke(cli.app, ["config", "check", "--connect"])

        assert answer.exit_code == 3
        assert message in answer.stderr
        if name == "DATABASE_URL":
            assert run.invoke(cli.app, ["recount"]).exit_code == 3


class TestHelp:
    def commands(self) -> Iterator[list[str]]:
        command = typer.main.get_command(cli.app)
        yield []
        for name, subcommand in command.commands.items():  # type: ignore[attr-defined]
            yield [name]
            yield from ([name, inner] for inner in getattr(subcommand, "commands", {}))

    def test_every_command_and_option_has_a_help_text(self) -> None:
        paths = list(self.commands())
        assert {"serve", "worker", "migrate", "demo", "recount", "verify-rates"} <= {
            path[0] for path in paths if path
        }
        for path in paths:
            answer = run.invoke(cli.app, [*path, "--help"])
            assert answer.exit_code == 0
            parameters = self.parameters(path)
            assert all(getattr(parameter, "help", None) for parameter in parameters), path

    def parameters(self, path: list[str]) -> list[Any]:
        command: Any = typer.main.get_command(cli.app)
        for name in path:
            command = command.commands[name]
        assert command.help
        return [parameter for parameter in command.params if not parameter.is_eager]


@pytest.mark.usefixtures("_environment")
class TestServe:
    @pytest.fixture(autouse=True)
    def _handler(self) -> Iterator[None]:
        handler = signal.getsignal(signal.SIGTERM)
        yield
        signal.signal(signal.SIGTERM, handler)

    def test_serve_passes_load_balancer_settings_to_uvicorn(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        called: dict[str, Any] = {}
        monkeypatch.setattr(uvicorn, "run", lambda *_, **options: called.update(options))

        port = free_port()
        answer = run.invoke(cli.app, ["serve", "--port", str(port), "--workers", "3"])

        assert answer.exit_code == 0, answer.output
        assert (called["port"], called["workers"], called["reload"]) == (port, 3, False)
        assert called["timeout_keep_alive"] == 75
        assert called["forwarded_allow_ips"] == "127.0.0.1"
        assert called["server_header"] is False
        assert called["timeout_graceful_shutdown"] == 20

        monkeypatch.setenv("PORT", str(port))
        run.invoke(cli.app, ["serve"])
        assert called["workers"] == serving.available_cpus()
        run.invoke(cli.app, ["serve", "--reload"])
        assert called["workers"] == 1

    def test_application_is_configured_from_the_environment(self) -> None:
        app = serving.application()

        assert (app.title, app.state.services.shutdown.handles_signals) == ("WXC Social", True)

    @pytest.mark.parametrize(
        ("quota", "expected"), [("50000 100000", 1), ("200000 100000", 2), ("max 100000", 4)]
    )
    def test_default_workers_follow_the_cpu_quota(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quota: str, expected: int
    ) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(4), raising=False)
        (tmp_path / "cpu.max").write_text(quota)

        assert serving.available_cpus(tmp_path / "cpu.max") == expected


@pytest.mark.usefixtures("_environment")
class TestWorker:
    def test_worker_is_configured_from_the_environment(
        self, monkeypatch: pytest.MonkeyPatch, config: Config
    ) -> None:
        configurations = []

        async def work(config: Config) -> None:
            configurations.append(config)

        monkeypatch.setattr(worker, "run_worker", work)

        assert run.invoke(cli.app, ["worker"]).exit_code == 0
        assert [known.database_url for known in configurations] == [config.database_url]


@pytest.mark.usefixtures("_environment")
class TestDemo:
    @pytest.mark.usefixtures("production")
    def test_demo_is_refused_in_production(self) -> None:
        answer = run.invoke(cli.app, ["demo"])

        assert answer.exit_code == 1
        assert answer.output.startswith("The demo's password is public")

    def test_demo_refuses_a_database_with_members_unless_if_empty_is_given(self) -> None:
        assert run.invoke(cli.app, ["demo"]).exit_code == 1
        answer = run.invoke(cli.app, ["demo", "--if-empty"])
        assert (answer.exit_code, answer.output) == (0, "")

    def test_logins_are_printed_without_a_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DATABASE_URL")

        answer = run.invoke(cli.app, ["demo", "--logins"])

        assert "amelia" in answer.output
        assert demo.PASSWORD in answer.output

    def test_demo_fills_an_empty_database(
        self, empty_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", empty_url)

        answer = run.invoke(cli.app, ["demo"])

        assert answer.exit_code == 0, answer.output
        assert "40 posts, 90 likes, 120 comments, 30 exchanges" in answer.output


@pytest.mark.parametrize("members", [demo.DEMO_MEMBERS, 300])
async def test_demo_is_repeatable_and_its_counters_are_right(
    config: Config, empty_url: str, redis: RedisClient, members: int
) -> None:
    config = config.model_copy(update={"database_url": empty_url})

    await demo.fill(config, members)

    drifts = await recount.recount(config, repair=False)
    assert [drift for drift in drifts if drift.drifted] == []
    connection = await asyncpg.connect(empty_url.replace("+asyncpg", ""))
    first = await connection.fetchval("SELECT body FROM posts ORDER BY id LIMIT 1")
    assert first == _FIRST_POST[members]
    longest = await connection.fetchval(
        "SELECT post_id FROM comments GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )
    await connection.close()
    async with running_app(config) as app, Browser(app) as browser:
        assert (await browser.log_in("amelia", demo.PASSWORD)).status_code == 200
        assert len((await browser.get("/feeds")).json()["items"]) == 20
        thread = (await browser.get(f"/posts/{longest}/comments?limit=100")).json()["items"]
        assert any(item["depth"] > 0 and item["likes_count"] > 0 for item in thread)
        own = (await browser.get("/users/tan_exchange/exchange")).json()
        assert own["base_currency"] == "SGD"
        for city, currency in _CITIES.items():
            near = (await browser.get(f"/exchanges?{city}&limit=100")).json()["items"]
            assert len(near) == 10
            assert near[0]["exchange"]["base_currency"] == currency
        verified = await verification.verify_rates(app.state.services.database, None)
        town_boards = 600 if members > demo.DEMO_MEMBERS else 0
        assert (verified.boards, verified.events) == (30 + town_boards, 1050 + 7 * town_boards)
        assert verified.faults == []
    assert len({username for username, _, _ in demo_exchanges.owner_profiles()}) == 30


_CITIES = {
    "lat=1.29&lon=103.85": "SGD",
    "lat=51.51&lon=-0.13": "GBP",
    "lat=22.30&lon=114.17": "HKD",
}


_FIRST_POST = {
    demo.DEMO_MEMBERS: "Changed dollars at Orchard today. I would go there again.",
    300: "Anyone know an honest counter near the station? "
    "Compare before you change, it takes a minute.",
}


class TestOpenApi:
    def test_the_committed_document_is_up_to_date(self) -> None:
        answer = run.invoke(cli.app, ["openapi", "--check"])

        assert answer.exit_code == 0, answer.output

    def test_outdated_document_is_reported_and_rewritten(self, tmp_path: Path) -> None:
        path = tmp_path / "openapi.json"
        path.write_text("{}\n")

        outdated = run.invoke(cli.app, ["openapi", str(path), "--check"])
        assert outdated.exit_code == 1
        assert "is out of date" in outdated.output

        assert run.invoke(cli.app, ["openapi", str(path)]).exit_code == 0
        assert run.invoke(cli.app, ["openapi", str(path), "--check"]).exit_code == 0
