from email.utils import parseaddr
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

import maxminddb
from limits import parse_many
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

from wxc.core.config_sources import EnvironmentSettings, split_list
from wxc.core.database_urls import AdminUrl, DatabaseUrl, OwnerUrl
from wxc.core.origins import normalise_origin
from wxc.core.weak_secrets import is_loopback, require_own_password, require_strong_secret

_SECRETS = ("secret_key", "jwt_secret_key", "jwt_secret_key_next", "jwt_secret_key_previous")
Environment = Literal["development", "production"]
_TRACERS = ("opentelemetry.sdk", "opentelemetry.instrumentation")
_DATABASE_URLS = tuple(
    f"database{part}_url" for part in ("", "_read", "_direct", "_owner", "_admin")
)


def _require_redis_url(url: str) -> str:
    if not url.startswith(("redis://", "rediss://")):
        raise ValueError("must start with redis:// or rediss://")
    return url


def _require_rates(rates: str) -> str:
    if not all(rate.amount >= 1 and rate.multiples >= 1 for rate in parse_many(rates)):
        raise ValueError("must allow at least one request, as in 3 per hour; 5 per day")
    return rates


def _default_environment(settings: dict[str, Any]) -> Environment:
    return "development" if is_loopback(settings.get("published_host")) else "production"


RedisUrl = Annotated[str, AfterValidator(_require_redis_url)]
Rates = Annotated[str, AfterValidator(_require_rates)]
"""Rate limits, as in `3 per hour; 5 per day`."""


class MigrationConfig(EnvironmentSettings):
    """The database URL for migrations, which run without the other settings."""

    database_password: SecretStr | None = None
    database_owner_password: SecretStr | None = None
    database_url: DatabaseUrl | None = None
    database_direct_url: DatabaseUrl | None = None
    database_owner_url: OwnerUrl | None = None

    @property
    def url(self) -> str:
        """The URL of the schema's owner; raises ValueError without any URL."""
        return self.database_owner_url or self.service_url

    @property
    def service_url(self) -> str:
        """`database_direct_url` if it is set; raises ValueError without any URL."""
        url = self.database_direct_url or self.database_url
        if url is None:
            raise ValueError("DATABASE_URL is missing")
        return url

    @property
    def service_role(self) -> str | None:
        """The role that needs grants from the owner; None if it is the owner itself."""
        owner, service = (urlsplit(url).username for url in (self.url, self.service_url))
        return None if service in (owner, None) else unquote(str(service))


class Config(EnvironmentSettings):
    """Each setting is named like its environment variable; units are seconds, bytes or counts.

    A validator can read only the fields above its own.
    """

    published_host: str | None = None
    environment: Environment = Field(default_factory=_default_environment)

    database_password: SecretStr | None = None
    database_owner_password: SecretStr | None = None
    database_admin_password: SecretStr | None = None
    database_url: DatabaseUrl
    database_read_url: DatabaseUrl | None = None
    database_direct_url: DatabaseUrl | None = None
    database_owner_url: OwnerUrl | None = None
    database_admin_url: AdminUrl | None = None
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
    limit_mails_per_account: Rates = "20 per day"
    limit_exports_per_account: Rates = "5 per hour"
    limit_reports_per_account: Rates = "30 per hour"
    limit_posts_per_account: Rates = "30 per 10 minutes; 300 per day"
    limit_mentions_per_account: Rates = "100 per hour"
    limit_follows_per_account: Rates = "60 per hour"
    limit_likes_per_account: Rates = "600 per hour"
    limit_searches_per_account: Rates = "60 per minute"
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
    email_restore_lifetime: int = Field(default=3 * 86_400, ge=60)

    frontend_url: str = "http://localhost:3000"
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list)] = ()
    cookie_secure: bool = True
    forwarded_allow_ips: str = "127.0.0.1"

    head_deadline: float = Field(default=10.0, gt=0)
    connections_open: int = Field(default=2048, ge=1)
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
    def _require_mail_address(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1] or not value.isprintable():
            raise ValueError("must be an address such as WXC Social <no-reply@example.com>")
        return value

    @field_validator("frontend_url")
    @classmethod
    def _require_web_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
            raise ValueError("must be an address such as https://app.example.com")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _require_exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            scheme, _, host = origin.partition("://")
            if scheme not in ("http", "https") or not host or set("/*?#@") & set(host):
                raise ValueError("must list exact origins such as https://app.example.com")
        return tuple(map(normalise_origin, origins))

    @field_validator("geoip_database")
    @classmethod
    def _require_geoip_database(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                maxminddb.open_database(path).close()
            except maxminddb.InvalidDatabaseError:
                raise ValueError("must be a database in MaxMind's format (.mmdb)") from None
        return path

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _require_networks(cls, value: str) -> str:
        for part in value.split(","):
            if part.strip() != "*":
                ip_network(part.strip())
        return value

    @field_validator("tracing")
    @classmethod
    def _require_tracers(cls, value: bool) -> bool:
        if value and not all(map(find_spec, _TRACERS)):
            raise ValueError("needs the extra: pip install 'wxc-social[otel]'")
        return value

    @model_validator(mode="after")
    def _require_role_for_admin(self) -> Self:
        for url in filter(None, (self.database_url, self.database_owner_url)):
            parts = urlsplit(url)
            if self.database_admin_url is not None and not (parts.username and parts.password):
                raise ValueError(
                    "DATABASE_ADMIN_URL creates the roles of DATABASE_URL and DATABASE_OWNER_URL, "
                    "which must contain their names and passwords"
                )
        return self

    @model_validator(mode="after")
    def _refuse_weak_secrets(self) -> Self:
        if self.environment == "development" and is_loopback(self.published_host):
            return self
        secrets = {name: getattr(self, name) for name in _SECRETS if getattr(self, name)}
        for name, secret in secrets.items():
            require_strong_secret(name, secret.get_secret_value())
        if len(set(secrets.values())) < len(secrets):
            names = ", ".join(name.upper() for name in secrets)
            raise ValueError(f"{names} must differ from one another")
        for name in _DATABASE_URLS:
            require_own_password(name, getattr(self, name) or "")
        return self

    @model_validator(mode="after")
    def _refuse_weak_production(self) -> Self:
        if self.environment == "production":
            if "*" in self.forwarded_allow_ips:
                raise ValueError("FORWARDED_ALLOW_IPS must not contain *, which trusts all clients")
            if not self.cookie_secure:
                raise ValueError("COOKIE_SECURE must not be false in production")
        return self
