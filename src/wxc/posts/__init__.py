"""What members write."""
