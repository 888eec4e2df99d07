"""The audit trail: actor, action and account, without secrets and addresses."""
