"""Reports by members, for operators to read and close."""
