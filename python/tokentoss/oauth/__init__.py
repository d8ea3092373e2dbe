"""OAuth 2.0 and OpenID Connect: providers, requests, answers and ID tokens."""
