"""Where a member is logged in, and ending it."""
