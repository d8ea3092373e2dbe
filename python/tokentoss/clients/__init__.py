"""The ID token for other people's HTTP clients, one client a module."""
