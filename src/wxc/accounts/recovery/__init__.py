"""Ways back into an account, and the proof of its e-mail address: what mailed links do."""
