"""An unconfigured deployment cannot be taken over from another machine."""

import re
import signal
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml
from pydantic import ValidationError
from typer.testing import CliRunner

from wxc.cli import main as cli
from wxc.core.config import Config
from wxc.server import runner as serving

EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound
ROOT = Path(__file__).parents[1]
DEPLOYMENTS = ("compose.yaml", "Dockerfile", "deploy/aws/wxc.yaml", "docs/operations.md")
APPLICATION = ("api", "worker", "migrate")
READS_ADMIN_SECRETS = {"secrets", "db", "migrate"}
LOOPBACK = ("127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST")
REACHABLE = (None, EVERYWHERE, "::", "[::]", "192.0.2.7", "api.example.com")
WEAK = ("change-me", "s" * 40, "change-me-Zk3v9Qx1Lr7Tp5Yw2Nb8Mc4Hd6Jf0Gs3")
STRONG = ("Zk3v9Qx1Lr7Tp5Yw2Nb8Mc4Hd6Jf0Gs3", "Pq8Wn2Xc5Vb7Zl1Kj4Hg6Fd9Sa3Rt0Ye")
run = CliRunner()


def resolved(value: str, environment: dict[str, str] | None = None) -> str:
    """The value after Compose's interpolation: `${NAME:-default}` covers an empty NAME too."""
    chosen = environment or {}
    pattern = r"\$\{(\w+)(?::-([^}]*))?\}"
    return re.sub(pattern, lambda found: chosen.get(found[1]) or found[2] or "", value)


def services() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text())["services"])


def environment_of(name: str, environment: dict[str, str] | None = None) -> dict[str, str]:
    written = services()[name].get("environment", {})
    return {key: resolved(value, environment) for key, value in written.items()}


def folders_of(name: str) -> dict[str, str]:
    """The volumes of a service, each with the folder it is mounted at and its options."""
    return dict(one.split(":", 1) for one in services()[name].get("volumes", []))


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Config.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


class TestCompose:
    @pytest.mark.parametrize("name", services())
    def test_no_service_has_a_default_secret(self, name: str) -> None:
        for variable, value in environment_of(name).items():
            if variable.endswith("_FILE"):
                assert value.startswith("/run/secrets/")
            elif re.search(r"SECRET_KEY|PASSWORD|TOKEN", variable):
                assert value == "", variable
            assert not re.search(r"://[^/@]*:[^/@]*@", value), variable

    @pytest.mark.parametrize("name", services())
    def test_a_service_has_no_capabilities_and_a_read_only_file_system(self, name: str) -> None:
        service = services()[name]

        assert service["cap_drop"] == ["ALL"]
        assert "cap_add" not in service
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True

    def test_the_database_runs_as_its_own_user(self) -> None:
        database = services()["db"]

        assert database["user"] == "999:999"
        assert set(database["tmpfs"]) == {"/tmp", "/var/run/postgresql"}  # noqa: S108

    def test_published_ports_are_bound_to_loopback_unless_an_address_is_set(self) -> None:
        ports = [port for service in services().values() for port in service.get("ports", [])]

        assert [resolved(port) for port in ports] == ["127.0.0.1:8000:8000"]
        for name in (*APPLICATION, "secrets"):
            assert environment_of(name)["PUBLISHED_HOST"] == "127.0.0.1"
            changed = environment_of(name, {"BIND_ADDRESS": "192.0.2.7"})
            assert changed["PUBLISHED_HOST"] == "192.0.2.7"

    def test_only_database_and_migrations_can_read_the_superuser_password(self) -> None:
        readers = {name for name in services() if "admin-secrets" in folders_of(name)}

        assert readers == READS_ADMIN_SECRETS
        for name in (*APPLICATION, "db"):
            mounted = {key: one for key, one in folders_of(name).items() if "secrets" in key}
            assert mounted
            assert all(one.endswith(":ro") for one in mounted.values())
        assert services()["secrets"]["network_mode"] == "none"

    @pytest.mark.parametrize("name", APPLICATION)
    @pytest.mark.parametrize(
        ("chosen", "expected"),
        [
            ({}, "development"),
            ({"BIND_ADDRESS": EVERYWHERE, "COOKIE_SECURE": "true"}, "production"),
            ({"ENVIRONMENT": "production", "COOKIE_SECURE": "true"}, "production"),
        ],
    )
    def test_application_accepts_its_settings_and_the_generated_secrets(
        self,
        name: str,
        chosen: dict[str, str],
        expected: str,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        self.apply(name, chosen, monkeypatch, tmp_path)

        config = Config()

        assert config.environment == expected
        assert config.mail_server == "mail"
        password = (tmp_path / "app" / "database_password").read_text()
        assert config.database_url == f"postgresql+asyncpg://wxc:{password}@db:5432/wxc"
        assert config.secret_key.get_secret_value() == (tmp_path / "app/secret_key").read_text()
        if name == "migrate":
            admin = (tmp_path / "admin" / "database_admin_password").read_text()
            assert config.database_admin_url
            assert f"//postgres:{admin}@db:5432/wxc" in config.database_admin_url
        assert {one.lower() for one in environment_of(name)} <= Config.model_fields.keys()

    @pytest.mark.parametrize("name", APPLICATION)
    def test_variables_of_an_older_env_file_take_precedence(
        self, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        older = {
            "SECRET_KEY": STRONG[0],
            "JWT_SECRET_KEY": STRONG[1],
            "DATABASE_PASSWORD": "set explicitly",
            "POSTGRES_PASSWORD": "set as well",
        }
        self.apply(name, older, monkeypatch, tmp_path)

        config = Config()

        assert config.secret_key.get_secret_value() == STRONG[0]
        assert "//wxc:set%20explicitly@db" in config.database_url
        assert (tmp_path / "admin" / "database_admin_password").read_text() == "set as well"
        if name == "migrate":
            assert "//postgres:set%20as%20well@db" in str(config.database_admin_url)

    def test_public_address_is_refused_without_secure_cookies(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        self.apply("api", {"BIND_ADDRESS": EVERYWHERE}, monkeypatch, tmp_path)

        with pytest.raises(ValidationError, match="COOKIE_SECURE must not be false in production"):
            Config()

    def apply(
        self,
        name: str,
        chosen: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        folder: Path,
    ) -> None:
        """Run the `secrets` service, then set the environment of another one."""
        command = [
            one.replace("/run/secrets", str(folder)) for one in services()["secrets"]["command"]
        ]
        made = run.invoke(cli.app, command, env=environment_of("secrets", chosen))
        assert made.exit_code == 0, made.output
        for variable, value in environment_of(name, chosen).items():
            monkeypatch.setenv(variable, value.replace("/run/secrets", str(folder)))


class TestDocuments:
    @pytest.mark.parametrize("path", DEPLOYMENTS)
    def test_deployment_files_contain_no_placeholder_secrets(self, path: str) -> None:
        assert not re.search("change-?me", (ROOT / path).read_text(), re.IGNORECASE)

    def test_documented_trusted_proxy_is_the_gateway_of_the_compose_network(self) -> None:
        (network,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["networks"].values()
        (settings,) = network["ipam"]["config"]
        gateway = resolved(settings["gateway"])
        operations = (ROOT / "docs" / "operations.md").read_text()
        written = re.findall(r"^\s*FORWARDED_ALLOW_IPS=(\S+)", operations, re.MULTILINE)

        assert written == [gateway]
        assert ip_address(gateway) in ip_network(resolved(settings["subnet"]))
        assert resolved(environment_of("api")["FORWARDED_ALLOW_IPS"]) == "127.0.0.1"


def configured(**settings: Any) -> Config:
    known = {"database_url": "postgresql://db/wxc", "redis_url": "redis://cache"}
    secrets = {"secret_key": STRONG[0], "jwt_secret_key": STRONG[1]}
    return Config(**known | secrets | {key: one for key, one in settings.items() if one})


class TestConfig:
    @pytest.mark.parametrize("environment", [None, "development", "production"])
    @pytest.mark.parametrize("host", REACHABLE)
    @pytest.mark.parametrize("secret", WEAK)
    @pytest.mark.parametrize("name", ["secret_key", "jwt_secret_key", "jwt_secret_key_next"])
    def test_weak_secret_is_refused_in_every_environment_on_reachable_hosts(
        self, environment: str | None, host: str | None, secret: str, name: str
    ) -> None:
        with pytest.raises(ValidationError, match=rf"{name.upper()} (must be 32|is still a)"):
            configured(environment=environment, published_host=host, **{name: secret})

    @pytest.mark.parametrize("environment", [None, "development", "production"])
    @pytest.mark.parametrize("host", REACHABLE)
    def test_placeholder_database_password_is_refused_on_reachable_hosts(
        self, environment: str | None, host: str | None
    ) -> None:
        url = "postgresql://wxc:change-me@db/wxc"
        with pytest.raises(ValidationError, match="DATABASE_URL has a placeholder as its password"):
            configured(environment=environment, published_host=host, database_url=url)

    @pytest.mark.parametrize("host", LOOPBACK)
    @pytest.mark.parametrize("secret", WEAK)
    def test_weak_secret_is_accepted_only_in_development_on_loopback(
        self, host: str, secret: str
    ) -> None:
        assert configured(published_host=host, secret_key=secret).environment == "development"
        with pytest.raises(ValidationError, match="SECRET_KEY"):
            configured(published_host=host, secret_key=secret, environment="production")

    @pytest.mark.parametrize("host", REACHABLE)
    def test_production_is_the_default_on_reachable_hosts(self, host: str | None) -> None:
        assert configured(published_host=host).environment == "production"
        chosen = configured(published_host=host, environment="development")
        assert chosen.environment == "development"

    def test_empty_variable_counts_as_unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("ENVIRONMENT", "PUBLISHED_HOST", "FRONTEND_URL", "MAIL_PORT"):
            monkeypatch.setenv(name, "")

        config = configured()

        assert (config.environment, config.mail_port) == ("production", 587)


class TestServe:
    @pytest.fixture(autouse=True)
    def _engines(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("DATABASE_URL", "postgresql://db/wxc")
        monkeypatch.setenv("REDIS_URL", "redis://cache")
        monkeypatch.setenv("SECRET_KEY", "s" * 40)
        monkeypatch.setenv("JWT_SECRET_KEY", "j" * 40)
        monkeypatch.setenv("ENVIRONMENT", "development")
        monkeypatch.setenv("LOG_LEVEL", "warning")
        handler = signal.getsignal(signal.SIGTERM)
        yield
        signal.signal(signal.SIGTERM, handler)

    @pytest.mark.parametrize(
        ("published", "options", "is_served"),
        [
            (None, [], False),
            (None, ["--host", EVERYWHERE], False),
            (None, ["--host", "127.0.0.1"], True),
            ("192.0.2.7", ["--host", "127.0.0.1"], False),
            ("127.0.0.1", ["--host", EVERYWHERE], True),
            ("", ["--host", "::1"], True),
        ],
    )
    def test_server_with_weak_secrets_starts_only_on_loopback(
        self,
        published: str | None,
        options: list[str],
        is_served: bool,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        applications: list[str] = []
        monkeypatch.setattr(
            uvicorn, "run", lambda *_, **__: applications.append(serving.application().title)
        )
        if published is not None:
            monkeypatch.setenv("PUBLISHED_HOST", published)

        answer = run.invoke(cli.app, ["serve", "--workers", "1", *options])

        assert (answer.exit_code == 0) == bool(applications) == is_served, answer.output
        assert is_served or "SECRET_KEY must be 32 random bytes or more" in answer.stderr

    def test_other_servers_without_a_known_host_are_refused(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            serving.application()

        assert "SECRET_KEY must be 32 random bytes or more" in capsys.readouterr().err

    def test_loopback_host_without_published_host_keeps_production_as_default(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ENVIRONMENT")

        answer = run.invoke(cli.app, ["serve", "--host", "127.0.0.1"])

        assert answer.exit_code == 2
        assert "SECRET_KEY must be 32 random bytes or more" in answer.stderr
