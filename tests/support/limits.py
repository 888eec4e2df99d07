"""Rate limits that no test reaches, for tests in which one address sends many requests."""

from wxc.core.config import Config

_LIMITS = [name for name in Config.model_fields if name.startswith("limit_")]
UNLIMITED = dict.fromkeys(_LIMITS, "1000000 per second")
ENVIRONMENT = {name.upper(): rates for name, rates in UNLIMITED.items()}
