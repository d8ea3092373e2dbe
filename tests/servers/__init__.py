"""The local stand-ins a sign-in needs: an OpenID provider and an API behind an IAP-like proxy."""
