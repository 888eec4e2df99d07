"""SQL for mails and the tokens of their links."""
