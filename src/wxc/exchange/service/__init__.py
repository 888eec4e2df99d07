"""Boards of rates: what may happen to them, and what follows."""
