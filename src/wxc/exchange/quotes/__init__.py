"""Conversions by the rates of one board."""
