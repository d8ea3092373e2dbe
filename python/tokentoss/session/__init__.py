"""The session of a user: held, renewed, stored and ended."""
