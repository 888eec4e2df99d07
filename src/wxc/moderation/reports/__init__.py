"""Reports by members, which operators read and close."""
