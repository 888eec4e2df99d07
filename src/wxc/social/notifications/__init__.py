"""What others did that concerns a member."""
