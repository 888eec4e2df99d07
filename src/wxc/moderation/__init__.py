"""Reports, what operators do about them, and the audit trail."""
