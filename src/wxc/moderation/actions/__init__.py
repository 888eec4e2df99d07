"""Operators' actions: show, suspend and restore accounts, end sessions."""
