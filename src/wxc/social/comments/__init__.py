"""What members say to posts and to one another's comments."""
