"""A stand-in for `cryptography` in the tests of JupyterLite, in pure Python and not for use anywhere else.

Pyodide has a build of its own, which is on no registry that the tests may ask. This one has what tokentoss
needs to open and seal messages (HPKE with one suite) and to check RS256 signatures, is not constant in time,
and refuses everything else.
"""

__version__ = "47.0.0"
