"""What members have reported: looked at and closed by operators."""
