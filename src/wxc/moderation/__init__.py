"""Reports by members, operators' commands and the audit trail."""
