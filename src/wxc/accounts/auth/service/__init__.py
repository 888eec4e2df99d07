"""Registration and login open short transactions: no connection is held during hashing."""
