"""Who follows, blocks and mutes whom, and what that lets them see."""
