"""SQL for exports: each list of an account is read in batches, one file per subject."""
