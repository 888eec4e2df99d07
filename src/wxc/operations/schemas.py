"""What health looks like."""

from typing import Literal

from pydantic import BaseModel


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"]


class Checks(BaseModel):
    """What the service depends on, each by its name."""

    database: Literal["ok"]
    redis: Literal["ok"]
    migrations: Literal["ok"]
    mail: Literal["ok"]


class Readiness(Health):
    """All is well with everything the service depends on."""

    checks: Checks
