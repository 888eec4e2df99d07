"""What operators and front-end developers look at: health and documentation."""
