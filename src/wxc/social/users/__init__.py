"""User profiles and visibility."""
