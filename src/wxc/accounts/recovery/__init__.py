"""Password reset and e-mail verification by mailed links."""
