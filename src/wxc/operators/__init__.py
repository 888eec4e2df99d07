"""What operators look into by `wxc user` and `wxc reports`, and what they do about it."""

from wxc.operators.reports import reports
from wxc.operators.users import user

__all__ = ["reports", "user"]
