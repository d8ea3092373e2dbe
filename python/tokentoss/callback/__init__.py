"""The loopback listener, and the two pages that it serves to the popup."""
