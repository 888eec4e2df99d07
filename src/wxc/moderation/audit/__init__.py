"""The audit trail: who did what to which account, without secrets and without addresses."""
