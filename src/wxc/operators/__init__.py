"""The commands with which operators look into accounts, reports, rates and settings."""
