"""The identity of a program where nobody signs in: scripts, CI systems and servers."""
