"""What health looks like."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Health(BaseModel):
    """All is well."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    status: Literal["ok"]
    """Anything else is answered with 503."""


class Checks(BaseModel):
    """What the service depends on, each by its name."""

    model_config = ConfigDict(use_attribute_docstrings=True)

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

    model_config = ConfigDict(use_attribute_docstrings=True)

    checks: Checks
    """What was looked at."""
