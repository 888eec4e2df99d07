"""WXC Social: a social network whose members can run a currency exchange."""
