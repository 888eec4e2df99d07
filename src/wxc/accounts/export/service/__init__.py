"""Exporting an account: `exporting` sends the document, `listings` names its lists."""
