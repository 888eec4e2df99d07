"""Password reset, and verification and change of the e-mail address, by mailed links."""
