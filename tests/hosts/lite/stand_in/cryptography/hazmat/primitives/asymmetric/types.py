"""Not part of the stand-in; there to be imported from."""

from cryptography.absent import absent as __getattr__
