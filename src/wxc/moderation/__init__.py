"""Reports by members, operators' actions and the audit trail."""
