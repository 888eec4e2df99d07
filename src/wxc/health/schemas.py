"""What health looks like."""

from typing import Literal

from wxc.http.schemas import Schema


class Health(Schema):
    """All is well."""

    status: Literal["ok"]
    """Anything else is answered with 503."""


class Checks(Schema):
    """What the service depends on, each by its name."""

    database: Literal["ok"]
    """It answers."""
    redis: Literal["ok"]
    """It answers."""
    migrations: Literal["ok"]
    """The schema is what the code expects."""
    mail: Literal["ok"]
    """No mail waits too long or was given up lately."""


class Readiness(Health):
    """All is well with everything the service depends on."""

    checks: Checks
    """What was looked at."""
