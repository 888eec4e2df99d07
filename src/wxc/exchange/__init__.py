"""Members' currency exchanges."""
