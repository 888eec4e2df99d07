"""What members decide about their own account."""
