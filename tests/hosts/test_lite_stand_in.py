"""The stand-in for `cryptography` gives the same results as the original, where JupyterLite uses it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tokentoss.handoff.sealing import TOKENS, RecipientKey, SealingContext, seal

from hosts.lite.site import ROOT, STAND_IN

CONTEXT = SealingContext(TOKENS, "ticket", "client", "https://issuer.example")
# Longer than several blocks, and no whole number of them.
MESSAGE = "tokens, " * 401

IN_THE_KERNEL = """
import json, sys
import jwt.algorithms
from cryptography import __doc__ as about
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from tokentoss.exceptions import HandOffError
from tokentoss.handoff.sealing import TOKENS, RecipientKey, SealingContext, seal

assert about.startswith("A stand-in") and jwt.algorithms.has_crypto
given = json.load(sys.stdin)
context = SealingContext(TOKENS, "ticket", "client", "https://issuer.example")
own = RecipientKey(X25519PrivateKey(bytes.fromhex(given["key"])))
key = RSAPublicNumbers(65537, given["modulus"]).public_key()

def opens(sealed):
    try:
        return own.open(sealed, context).decode()
    except HandOffError as refusal:
        return refusal.code

def is_signed(data):
    try:
        key.verify(bytes.fromhex(given["signature"]), data, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True

json.dump({
    "public": own.public.hex(),
    "opened": [opens(sealed) for sealed in given["sealed"]],
    "sealed": seal(given["message"].encode(), bytes.fromhex(given["recipient"]), context),
    "signed": [is_signed(b"data"), is_signed(b"other")],
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def answered():
    own, other = RecipientKey.generate(), RecipientKey.generate()
    signing = rsa.generate_private_key(65537, 2048)
    sealed = seal(MESSAGE.encode(), own.public, CONTEXT)
    middle = len(sealed) // 2
    changed = sealed[:middle] + ("A" if sealed[middle] != "A" else "B") + sealed[middle + 1 :]
    given = {
        "key": own._private.private_bytes_raw().hex(),
        "recipient": other.public.hex(),
        "message": MESSAGE,
        "sealed": [sealed, changed, seal(b"for another", other.public, CONTEXT)],
        "modulus": signing.public_key().public_numbers().n,
        "signature": signing.sign(b"data", padding.PKCS1v15(), hashes.SHA256()).hex(),
    }
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_KERNEL],
        input=json.dumps(given),
        env={"PYTHONPATH": f"{STAND_IN}:{ROOT / 'python'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return own, other, json.loads(done.stdout)


def test_it_opens_what_the_real_one_sealed_and_nothing_else(answered):
    own, _, answer = answered
    assert answer["public"] == own.public.hex()
    assert answer["opened"] == [MESSAGE, "envelope_unreadable", "envelope_unreadable"]


def test_the_real_one_opens_what_it_sealed(answered):
    _, other, answer = answered
    assert other.open(answer["sealed"], CONTEXT).decode() == MESSAGE


def test_it_checks_signatures(answered):
    assert answered[2]["signed"] == [True, False]
