"""The application's settings, read from the environment by whoever calls `create_app`."""

from email.utils import parseaddr
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import maxminddb
from limits import parse_many
from pydantic import (
    AfterValidator,
    Field,
    FilePath,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_LEAST_SECRET_LENGTH = 32  # bytes; RFC 7518 section 3.2 asks for the hash's own length
_SECRETS = ("secret_key", "jwt_secret_key", "jwt_secret_key_next", "jwt_secret_key_previous")
_URL_OPTIONS = {"ssl", "prepared_statement_cache_size"}
_TRACERS = ("opentelemetry.sdk", "opentelemetry.instrumentation")
_PLACEHOLDERS = ("change-me", "changeme", "secret", "example")


def asyncpg_url(url: str) -> str:
    """`postgresql://…` with the driver we use; other databases and options are refused.

    `sslmode`, as libpq and every console of a provider spell it, is asyncpg's `ssl`.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise ValueError("must start with postgresql+asyncpg:// or postgresql://")
    options = {name.replace("sslmode", "ssl"): value for name, value in parse_qsl(parts.query)}
    if not options.keys() <= _URL_OPTIONS:
        raise ValueError(f"may have no options but sslmode and {', '.join(sorted(_URL_OPTIONS))}")
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg", query=urlencode(options)))


def libpq_url(url: str) -> str:
    """An address of ours as libpq spells it, which is how asyncpg itself reads one."""
    parts = urlsplit(url)
    options = {
        name.replace("ssl", "sslmode"): value
        for name, value in parse_qsl(parts.query)
        if name == "ssl"
    }
    return urlunsplit(parts._replace(scheme="postgresql", query=urlencode(options)))


def _redis_url(url: str) -> str:
    if not url.startswith(("redis://", "rediss://")):
        raise ValueError("must start with redis:// or rediss://")
    return url


def _readable_rates(rates: str) -> str:
    if not all(rate.amount >= 1 and rate.multiples >= 1 for rate in parse_many(rates)):
        raise ValueError("must allow one at least, as in 3 per hour; 5 per day")
    return rates


DatabaseUrl = Annotated[str, AfterValidator(asyncpg_url)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
Rates = Annotated[str, AfterValidator(_readable_rates)]
"""How often something may be done, as in `3 per hour; 5 per day`."""


class Config(BaseSettings):
    """Every setting, named as its environment variable in lower case; seconds, bytes, counts."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    environment: Literal["development", "production"] = "production"

    database_url: DatabaseUrl
    database_read_url: DatabaseUrl | None = None
    database_direct_url: DatabaseUrl | None = None
    database_admin_url: DatabaseUrl | None = None
    database_pool_size: int = Field(default=12, ge=1)
    database_pool_overflow: int = Field(default=0, ge=0)
    database_pool_wait: float = Field(default=2.0, gt=0)
    database_connect_timeout: float = Field(default=3.0, gt=0)
    database_statement_timeout: float = Field(default=5.0, gt=0)
    database_lock_timeout: float = Field(default=2.0, gt=0)
    database_idle_timeout: float = Field(default=10.0, gt=0)

    redis_url: RedisUrl
    redis_timeout: float = Field(default=0.1, gt=0)
    redis_connect_timeout: float = Field(default=0.25, gt=0)

    secret_key: SecretStr
    jwt_secret_key: SecretStr
    jwt_secret_key_next: SecretStr | None = None
    jwt_secret_key_previous: SecretStr | None = None
    access_token_lifetime: int = Field(default=600, ge=30)
    session_idle_lifetime: int = Field(default=14 * 86_400, ge=60)
    session_lifetime: int = Field(default=30 * 86_400, ge=60)
    revocation_poll_interval: float = Field(default=1.0, gt=0)
    username_changes_per_year: int = Field(default=3, ge=1)
    password_hash_memory: int = Field(default=19_456, ge=8)
    password_hash_rounds: int = Field(default=2, ge=1)
    password_hash_workers: int = Field(default=1, ge=1)
    password_hash_queue: int = Field(default=32, ge=1)
    password_hash_wait: float = Field(default=2.0, gt=0)

    limit_login_per_account_and_ip: Rates = "5 per 5 minutes"
    limit_login_per_account: Rates = "20 per hour"
    limit_login_per_device: Rates = "10 per hour"
    limit_login_per_ip: Rates = "30 per 5 minutes"
    limit_reauthentication: Rates = "10 per hour"
    limit_register_per_ip: Rates = "10 per hour"
    limit_reset_per_ip: Rates = "5 per minute"
    limit_mails_per_recipient: Rates = "3 per hour; 5 per day"
    limit_mails_per_ip: Rates = "20 per hour"
    limit_reports_per_account: Rates = "30 per hour"
    geoip_database: FilePath | None = None
    device_lifetime: int = Field(default=180 * 86_400, ge=60)

    mail_server: str | None = None
    mail_port: int = 587
    mail_username: str | None = None
    mail_password: SecretStr | None = None
    mail_from: str = "WXC Social <no-reply@example.com>"
    mail_starttls: bool = True
    mail_ssl_tls: bool = False
    mail_timeout: float = Field(default=10.0, gt=0)
    mail_attempts: int = Field(default=12, ge=1)
    mail_poll_interval: float = Field(default=1.0, gt=0)
    mail_link_patience: int = Field(default=7200, ge=60)
    password_reset_lifetime: int = Field(default=1800, ge=60)
    email_verification_lifetime: int = Field(default=86_400, ge=60)

    frontend_url: str = "http://localhost:3000"
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    cookie_secure: bool = True
    forwarded_allow_ips: str = "127.0.0.1"

    request_deadline: float = Field(default=10.0, gt=0)
    requests_in_flight: int = Field(default=256, ge=1)
    streams_in_flight: int = Field(default=1000, ge=1)
    streams_per_session: int = Field(default=5, ge=1)
    streams_per_address: int = Field(default=50, ge=1)
    streams_per_ipv6_site: int = Field(default=100, ge=1)
    body_limit: int = Field(default=256 * 1024, ge=1)
    account_body_limit: int = Field(default=8 * 1024, ge=1)
    body_deadline: float = Field(default=30.0, gt=0)
    shutdown_delay: float = Field(default=5.0, ge=0)
    shutdown_drain: int = Field(default=20, ge=1)

    audit_retention: int = Field(default=365 * 86_400, ge=31 * 86_400)

    metrics_port: int | None = Field(default=None, ge=1, le=65_535)
    metrics_host: str = "127.0.0.1"
    tracing: bool = False

    demo_data: bool = False
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("mail_from")
    @classmethod
    def _one_address(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1] or not value.isprintable():
            raise ValueError("must be an address such as WXC Social <no-reply@example.com>")
        return value

    @field_validator("frontend_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
            raise ValueError("must be an address such as https://app.example.com")
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            scheme, _, host = origin.partition("://")
            if scheme not in ("http", "https") or not host or set("/*?#@") & set(host):
                raise ValueError("must list exact origins such as https://app.example.com")
        return origins

    @field_validator("geoip_database")
    @classmethod
    def _readable_database(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                maxminddb.open_database(path).close()
            except maxminddb.InvalidDatabaseError:
                raise ValueError("must be a database in MaxMind's format (.mmdb)") from None
        return path

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _addresses(cls, value: str) -> str:
        for part in value.split(","):
            if part.strip() != "*":
                ip_network(part.strip())
        return value

    @field_validator("tracing")
    @classmethod
    def _installed(cls, value: bool) -> bool:
        if value and not all(map(find_spec, _TRACERS)):
            raise ValueError("needs the extra: pip install 'wxc-social[otel]'")
        return value

    @model_validator(mode="after")
    def _name_a_role(self) -> Self:
        parts = urlsplit(self.database_url)
        if self.database_admin_url is not None and not (parts.username and parts.password):
            raise ValueError(
                "DATABASE_ADMIN_URL is there to make the role of DATABASE_URL, "
                "which must name it and its password"
            )
        return self

    @model_validator(mode="after")
    def _refuse_weak_production(self) -> Self:
        if self.environment == "production":
            secrets = {name: getattr(self, name) for name in _SECRETS if getattr(self, name)}
            for name, secret in secrets.items():
                _refuse_weak_secret(name, secret.get_secret_value())
            if len(set(secrets.values())) < len(secrets):
                names = ", ".join(name.upper() for name in secrets)
                raise ValueError(f"{names} must differ from one another")
            if "*" in self.forwarded_allow_ips:
                raise ValueError("FORWARDED_ALLOW_IPS must list your proxies: * lets anyone lie")
            if not self.cookie_secure:
                raise ValueError("COOKIE_SECURE must not be false in production")
        return self


def _refuse_weak_secret(name: str, secret: str) -> None:
    if len(secret.encode()) < _LEAST_SECRET_LENGTH or len(set(secret)) < 10:
        raise ValueError(f"{name.upper()} must be {_LEAST_SECRET_LENGTH} random bytes or more")
    if any(word in secret.lower() for word in _PLACEHOLDERS):
        raise ValueError(f"{name.upper()} is still a placeholder")
