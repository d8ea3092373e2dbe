"""Answers are for the listener, which a browser has not; there to be imported from."""

from cryptography.absent import absent as __getattr__
