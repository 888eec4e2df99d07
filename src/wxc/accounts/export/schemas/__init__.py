"""What a member can export, one file per subject."""
