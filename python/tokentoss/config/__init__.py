"""The OAuth client of the user: read, checked and installed."""
