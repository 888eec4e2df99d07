"""What operators look into by `wxc user`, `reports` and `verify-rates`, and what they do then."""

from wxc.operators.rates import verify_rates
from wxc.operators.reports import reports
from wxc.operators.settings import config
from wxc.operators.users import user

__all__ = ["config", "reports", "user", "verify_rates"]
