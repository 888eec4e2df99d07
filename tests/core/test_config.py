"""Invalid settings prevent the start and are named."""

from typing import Any

import pytest
from pydantic import ValidationError

from wxc.core.config import Config
from wxc.core.database_urls import asyncpg_url, libpq_url

GOOD: dict[str, Any] = {
    "database_url": "postgresql://db/wxc",
    "redis_url": "rediss://cache",
    "secret_key": "Zk3v9Qx1Lr7Tp5Yw2Nb8Mc4Hd6Jf0Gs3",
    "jwt_secret_key": "Pq8Wn2Xc5Vb7Zl1Kj4Hg6Fd9Sa3Rt0Ye",
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Config.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_production_is_the_default_and_accepts_strong_secrets() -> None:
    config = Config(**GOOD)

    assert config.environment == "production"
    assert config.cookie_secure


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"secret_key": "short"}, "SECRET_KEY must be 32 random bytes or more"),
        ({"jwt_secret_key": "a" * 64}, "JWT_SECRET_KEY must be 32 random bytes or more"),
        ({"secret_key": "change-me-" + GOOD["secret_key"]}, "SECRET_KEY is still a placeholder"),
        ({"jwt_secret_key": GOOD["secret_key"]}, "must differ from one another"),
        ({"jwt_secret_key_next": "short"}, "JWT_SECRET_KEY_NEXT must be 32 random bytes"),
        ({"cookie_secure": False}, "COOKIE_SECURE must not be false in production"),
        ({"cors_origins": "*"}, "must list exact origins"),
        ({"cors_origins": "https://*.example.com"}, "must list exact origins"),
        ({"cors_origins": "https://app.example.com/"}, "must list exact origins"),
        ({"cors_origins": "app.example.com"}, "must list exact origins"),
        ({"database_url": "mysql://db"}, "must start with postgresql"),
        (
            {"database_url": "postgresql://db/wxc?application_name=x"},
            "may only have the options",
        ),
        ({"redis_url": "http://cache"}, "must start with redis://"),
        ({"mail_from": "WXC Social"}, "must be an address such as WXC Social"),
        ({"mail_from": "a@example.com\r\nBcc: b@c.d"}, "must be an address such as WXC Social"),
        ({"forwarded_allow_ips": "*"}, "which trusts all clients"),
        ({"forwarded_allow_ips": "10.0.0.0/8,proxy"}, "'proxy' does not appear to be an IPv4"),
        ({"limit_login_per_ip": "often"}, "couldn't parse rate limit string"),
        ({"limit_login_per_ip": "0 per hour"}, "must allow at least one request"),
        ({"frontend_url": "app.example.com"}, "must be an address such as https://"),
        ({"frontend_url": "https://app.example.com/#/"}, "must be an address such as https://"),
    ],
)
def test_weak_and_invalid_settings_are_refused_by_name(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Config(**GOOD | change)


def test_weak_settings_are_accepted_in_development_on_loopback() -> None:
    weak = {"environment": "development", "secret_key": "x", "cookie_secure": False}

    assert not Config(**GOOD | weak, published_host="127.0.0.1").cookie_secure


def test_error_messages_contain_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDIS_URL", "http://:hunter2@cache")
    with pytest.raises(ValidationError) as caught:
        Config(**{name: value for name, value in GOOD.items() if name != "redis_url"})

    assert "hunter2" not in str(caught.value)
    assert GOOD["secret_key"] not in repr(Config(**GOOD))


def test_sslmode_of_libpq_is_accepted() -> None:
    config = Config(**GOOD | {"database_url": "postgresql://db/wxc?sslmode=require"})

    assert config.database_url == "postgresql+asyncpg://db/wxc?ssl=require"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_every_scheme_of_a_postgresql_url_uses_asyncpg(scheme: str) -> None:
    config = Config(**GOOD | {"database_url": f"{scheme}://db/wxc"})

    assert config.database_url == "postgresql+asyncpg://db/wxc"


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://app.example.com, http://localhost:3000,")

    assert Config(**GOOD).cors_origins == ("https://app.example.com", "http://localhost:3000")


def test_a_database_url_is_converted_back_to_the_form_of_libpq() -> None:
    url = libpq_url(asyncpg_url("postgresql://a:b@h:1/d?sslmode=require"))

    assert url == "postgresql://a:b@h:1/d?sslmode=require"
    assert (
        libpq_url("postgresql+asyncpg://h/d?prepared_statement_cache_size=0") == "postgresql://h/d"
    )


def test_tracing_requires_the_otel_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wxc.core.config.find_spec", lambda _: None)

    with pytest.raises(ValidationError, match=r"tracing\n.*wxc-social\[otel\]"):
        Config(**GOOD, tracing=True)


def test_database_admin_url_requires_a_role_with_a_password() -> None:
    with pytest.raises(ValidationError, match="which must contain their names and passwords"):
        Config(**GOOD, database_admin_url="postgresql://root@db/wxc")
