"""A whole sign-in in a real browser, on every host that a notebook runs on."""
