from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from wxc.accounts.auth.devices import Devices
from wxc.accounts.auth.passwords import Passwords
from wxc.accounts.auth.policies import Policies
from wxc.accounts.auth.revocation import Revocations
from wxc.accounts.auth.tokens import Tokens
from wxc.core.config import Config
from wxc.core.events import Events
from wxc.core.geoip import GeoLocator
from wxc.core.redis import RedisClient
from wxc.db.database import Database
from wxc.http.rate_limits import RateLimitStore
from wxc.mail.outbox import Outbox
from wxc.moderation.audit.actors import IdentifierHasher
from wxc.moderation.audit.service import EventLimit


@dataclass(frozen=True, slots=True)
class Principal:
    """The signed-in user, as named by the access token; no query is needed."""

    id: UUID
    session_id: UUID
    access_expires_at: datetime
    is_verified: bool = False
    """Whether the e-mail address was verified when the access token was issued."""


class Auth:
    """The shared objects of authentication; one instance per application."""

    def __init__(
        self,
        config: Config,
        database: Database,
        redis: RedisClient,
        events: Events,
        limits: RateLimitStore,
    ) -> None:
        self.tokens = Tokens(config)
        self.geo_locator = GeoLocator(config)
        self.devices = Devices(config)
        self.policies = Policies(config)
        self.passwords = Passwords(config)
        self.revocations = Revocations(config, database, redis, events)
        self.outbox = Outbox(config, limits)
        self.throttled_logins = EventLimit()
        self.identifier_hasher = IdentifierHasher(config)
        self.idle_lifetime = timedelta(seconds=config.session_idle_lifetime)
        self.username_changes = config.username_changes_per_year
        self.lifetime = timedelta(seconds=config.session_lifetime)
