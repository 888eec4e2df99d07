"""The social network: users, what they write, and what reaches them."""
