"""The objects that all requests share, typed: `app.state.services`."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

# For types only: features import this module, so it must not import them at runtime. The import
# contract in pyproject.toml lists these imports as its only exceptions.
if TYPE_CHECKING:
    from wxc.accounts.auth.context import Auth
    from wxc.accounts.auth.cookies import CookieJar
    from wxc.core.config import Config
    from wxc.core.events import Events
    from wxc.core.redis import RedisClient
    from wxc.db.cursors import CursorSigner
    from wxc.db.database import Database
    from wxc.health.metrics import ServerMetrics
    from wxc.health.service import Startup
    from wxc.http.rate_limits import RateLimitStore
    from wxc.http.streams import StreamLimiter
    from wxc.http.traffic import Traffic
    from wxc.moderation.audit.actors import IdentifierHasher
    from wxc.moderation.audit.dependencies import RefusalAuditor
    from wxc.server.shutdown import GracefulShutdown


@dataclass(slots=True)
class Services:
    """`create_app` sets the first group of fields, `connect` the second one at startup.

    Reading a field of the second group before that raises `AttributeError`.
    """

    config: "Config"
    cookies: "CookieJar"
    cursors: "CursorSigner"
    shutdown: "GracefulShutdown"
    identifier_hasher: "IdentifierHasher"
    idempotency_key: bytes
    metrics: "ServerMetrics"
    refusal_auditor: "RefusalAuditor"
    traffic: "Traffic"

    auth: "Auth" = field(init=False)
    database: "Database" = field(init=False)
    events: "Events" = field(init=False)
    limits: "RateLimitStore" = field(init=False)
    redis: "RedisClient" = field(init=False)
    startup: "Startup" = field(init=False)
    streams: "StreamLimiter" = field(init=False)


def services_of(request: HTTPConnection) -> Services:
    services: Services = request.app.state.services
    return services
