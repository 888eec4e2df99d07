"""`wxc serve`: uvicorn, and how it ends."""
