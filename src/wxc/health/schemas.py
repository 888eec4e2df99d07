from typing import Literal

from wxc.http.schemas import Schema


class Health(Schema):
    """The result of a successful check."""

    status: Literal["ok"]
    """Always `ok`; a failed check responds with 503."""


class Checks(Schema):
    """The result for each dependency."""

    database: Literal["ok"]
    """The database responds."""
    redis: Literal["ok"]
    """Redis responds."""
    migrations: Literal["ok"]
    """The database schema is up to date."""
    mail: Literal["ok"]
    """No mail is more than 5 minutes overdue or was given up in the last hour."""


class Readiness(Health):
    """All dependencies work."""

    checks: Checks
    """The result for each dependency."""
