"""Queries of the exported lists; every list is read in batches."""
