"""The `wxc` command, one file for each group of commands."""
