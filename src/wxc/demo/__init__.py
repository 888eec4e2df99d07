"""Members and boards to try the product with."""
