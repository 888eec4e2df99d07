"""What a member reads first: their own and followed people's posts."""
