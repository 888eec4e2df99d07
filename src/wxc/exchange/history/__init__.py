"""The history of a board's rates, and its verification."""
