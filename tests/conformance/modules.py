"""The modules: what the provider does wrong in each, and what the client must make of it.

The names are those of the OpenID Foundation's conformance suite, whose modules are reproduced here; only a
run of that suite itself is a certification.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .faults import REMOVED, Faults
from .provider import CLIENT_ID, Registration

BASIC = "oidcc-client-basic-certification-test-plan"
CONFIG = "oidcc-client-config-certification-test-plan"
REFRESH = "oidcc-client-refreshtoken-test-plan"
FAPI2 = "fapi2-security-profile-final-client-test-plan"
COMPREHENSIVE = "oidcc-client-test-plan"

SCOPES = ("openid", "profile", "email", "address", "phone")

_BASIC = Registration("client_secret_basic")
_POST = Registration("client_secret_post")
_PUBLIC = Registration("none")
_FAPI2 = Registration("client_secret_basic", algorithm="PS256", sends_iss=True)


@dataclass(frozen=True)
class Module:
    """One module.

    Args:
        name: Its official name.
        plan: The plan that it belongs to.
        registration: How the client is registered.
        faults: How the provider errs.
        code: The error that the client must end with; None where it must sign in and read userinfo.
        calls: How often the client calls the token and the userinfo endpoint, and not once more.
        minimum: Calls of other endpoints that the module is about, at least so often.
    """

    name: str
    plan: str
    registration: Registration
    faults: Faults = field(default_factory=Faults)
    code: str | None = None
    calls: tuple[int, int] = (1, 1)
    minimum: dict[str, int] = field(default_factory=dict)

    @property
    def variant(self) -> str:
        """The variant in the suite's manner."""
        return f"client_auth_type={self.registration.auth_method}"


def _refused(name: str, plan: str, registration: Registration, code: str, **faults: object) -> Module:
    """A module whose fault is in the ID token: one token request, and nothing after it."""
    return Module(name, plan, registration, Faults(**faults), code, (1, 0))  # type: ignore[arg-type]


def _oidcc(name: str) -> str:
    return f"oidcc-client-test-{name}" if name else "oidcc-client-test"


def _fapi2(name: str) -> str:
    return f"fapi2-security-profile-final-client-test-{name}"


def _other(issuer: object) -> str:
    return f"{issuer}1"


_CODE_OF_AUDIENCE = "id_token_audience_mismatch"
_SECOND_AUDIENCE = [CLIENT_ID, "https://other1.example.com"]

_BASIC_MODULES = (
    Module(_oidcc(""), BASIC, _BASIC),
    _refused(_oidcc("invalid-iss"), BASIC, _BASIC, "id_token_issuer_mismatch", id_token={"iss": _other}),
    _refused(_oidcc("missing-sub"), BASIC, _BASIC, "id_token_subject_missing", id_token={"sub": REMOVED}),
    _refused(_oidcc("invalid-aud"), BASIC, _BASIC, _CODE_OF_AUDIENCE, id_token={"aud": _other}),
    _refused(_oidcc("missing-iat"), BASIC, _BASIC, "id_token_issued_at_invalid", id_token={"iat": REMOVED}),
    Module(_oidcc("kid-absent-single-jwks"), BASIC, _BASIC, Faults(key_id=False), minimum={"jwks": 1}),
    Module(
        _oidcc("kid-absent-multiple-jwks"),
        BASIC,
        _BASIC,
        Faults(key_id=False, more_keys=("rsa-other", "ec-other")),
        minimum={"jwks": 1},
    ),
    Module(_oidcc("idtoken-sig-rs256"), BASIC, _BASIC, minimum={"jwks": 1}),
    _refused(
        _oidcc("idtoken-sig-none"),
        BASIC,
        _BASIC,
        "id_token_algorithm_refused",
        algorithm="none",
        metadata={"id_token_signing_alg_values_supported": ["RS256", "none"]},
    ),
    _refused(_oidcc("invalid-sig-rs256"), BASIC, _BASIC, "id_token_signature_invalid", breaks_signature=True),
    Module(
        _oidcc("userinfo-invalid-sub"),
        BASIC,
        _BASIC,
        Faults(userinfo={"sub": _other}),
        "userinfo_subject_mismatch",
        (1, 1),
    ),
    _refused(_oidcc("nonce-invalid"), BASIC, _BASIC, "id_token_nonce_mismatch", id_token={"nonce": _other}),
    Module(_oidcc("scope-userinfo-claims"), BASIC, _BASIC),
    Module(_oidcc("client-secret-basic"), BASIC, _BASIC),
)

_CONFIG_MODULES = (
    Module(_oidcc("discovery-openid-config"), CONFIG, _POST, minimum={"discovery": 1}),
    Module(_oidcc("discovery-jwks-uri-keys"), CONFIG, _POST, minimum={"discovery": 1, "jwks": 1}),
    Module(
        _oidcc("discovery-issuer-mismatch"),
        CONFIG,
        _POST,
        Faults(metadata={"issuer": _other}),
        "discovery_issuer_mismatch",
        (0, 0),
    ),
    Module(
        _oidcc("signing-key-rotation-just-before-signing"),
        CONFIG,
        _POST,
        Faults(rotates="before_signing"),
        minimum={"jwks": 1},
    ),
    Module(
        _oidcc("signing-key-rotation"),
        CONFIG,
        _POST,
        Faults(rotates="between_sign_ins"),
        calls=(2, 2),
        minimum={"jwks": 2},
    ),
)

_REFRESH_MODULES = (
    Module(_oidcc("refresh-token"), REFRESH, _PUBLIC, calls=(2, 2)),
    Module(
        _oidcc("refresh-token-invalid-issuer"),
        REFRESH,
        _PUBLIC,
        Faults(refreshed_id_token={"iss": _other}),
        "id_token_issuer_mismatch",
        (2, 1),
    ),
    Module(
        _oidcc("refresh-token-invalid-sub"),
        REFRESH,
        _PUBLIC,
        Faults(refreshed_id_token={"sub": _other}),
        "id_token_subject_mismatch",
        (2, 1),
    ),
)


def _fapi2_refused(name: str, code: str, **faults: object) -> Module:
    return _refused(_fapi2(name), FAPI2, _FAPI2, code, **faults)


def _fapi2_authorization(name: str, code: str, **changes: object) -> Module:
    """A fault in the authorization response: not even the token endpoint is called."""
    return Module(_fapi2(name), FAPI2, _FAPI2, Faults(authorization=changes), code, (0, 0))


_FAPI2_MODULES = (
    Module(_fapi2("happy-path"), FAPI2, _FAPI2),
    Module(
        _fapi2("discovery-issuer-mismatch"),
        FAPI2,
        _FAPI2,
        Faults(metadata={"issuer": _other}),
        "discovery_issuer_mismatch",
        (0, 0),
    ),
    _fapi2_authorization(
        "ensure-authorization-response-with-invalid-state-fails", "state_mismatch", state=_other
    ),
    _fapi2_authorization(
        "ensure-authorization-response-with-invalid-missing-state-fails", "state_mismatch", state=REMOVED
    ),
    _fapi2_authorization("invalid-authorization-response-iss", "issuer_mismatch", iss=_other),
    _fapi2_authorization("remove-authorization-response-iss", "issuer_missing", iss=REMOVED),
    _fapi2_refused("invalid-iss", "id_token_issuer_mismatch", id_token={"iss": _other}),
    _fapi2_refused("invalid-missing-iss", "id_token_issuer_mismatch", id_token={"iss": REMOVED}),
    _fapi2_refused("invalid-aud", _CODE_OF_AUDIENCE, id_token={"aud": _other}),
    _fapi2_refused("invalid-missing-aud", _CODE_OF_AUDIENCE, id_token={"aud": REMOVED}),
    _fapi2_refused("invalid-secondary-aud", _CODE_OF_AUDIENCE, id_token={"aud": _SECOND_AUDIENCE}),
    Module(_fapi2("valid-aud-as-array"), FAPI2, _FAPI2, Faults(id_token={"aud": [CLIENT_ID]})),
    _fapi2_refused("invalid-nonce", "id_token_nonce_mismatch", id_token={"nonce": _other}),
    _fapi2_refused("invalid-missing-nonce", "id_token_nonce_mismatch", id_token={"nonce": REMOVED}),
    _fapi2_refused(
        "invalid-expired-exp", "id_token_expired", id_token={"exp": lambda _: int(time.time()) - 300}
    ),
    _fapi2_refused("invalid-missing-exp", "id_token_expired", id_token={"exp": REMOVED}),
    _fapi2_refused("invalid-null-alg", "id_token_algorithm_refused", algorithm="none"),
    _fapi2_refused("invalid-alternate-alg", "id_token_algorithm_refused", algorithm="RS256"),
    Module(
        _fapi2("token-type-case-insensitivity"),
        FAPI2,
        _FAPI2,
        Faults(token_response={"token_type": "bEAreR"}),
    ),
    Module(
        _fapi2("token-endpoint-response-without-expires_in"),
        FAPI2,
        _FAPI2,
        Faults(token_response={"expires_in": REMOVED}),
    ),
)

MODULES = (*_BASIC_MODULES, *_CONFIG_MODULES, *_REFRESH_MODULES, *_FAPI2_MODULES)
"""The 42 modules that the headline counts."""

FURTHER = (
    _refused(_oidcc("missing-aud"), COMPREHENSIVE, _BASIC, _CODE_OF_AUDIENCE, id_token={"aud": REMOVED}),
    _refused(
        _oidcc("invalid-sig-hs256"),
        COMPREHENSIVE,
        _BASIC,
        "id_token_algorithm_refused",
        algorithm="HS256",
        metadata={"id_token_signing_alg_values_supported": ["RS256", "HS256"]},
    ),
    _refused(
        _oidcc("invalid-sig-es256"),
        COMPREHENSIVE,
        Registration("client_secret_basic", algorithm="ES256"),
        "id_token_signature_invalid",
        breaks_signature=True,
    ),
    Module(_oidcc("userinfo-bearer-header"), COMPREHENSIVE, _BASIC),
)
"""Modules of the comprehensive plan that apply, beside the 42."""

NOT_OFFERED = {
    "userinfo-bearer-body": "the access token goes into the header, and never into a body",
    "aggregated-claims": "claims of other providers are not resolved",
    "distributed-claims": "claims of other providers are not resolved",
    "userinfo-signed": "userinfo is read as JSON; a signed answer is refused",
    "mtls-endpoint-aliases": "no mutual TLS",
    "discovery-webfinger-acct": "the issuer is given, not looked up by WebFinger",
    "discovery-webfinger-url": "the issuer is given, not looked up by WebFinger",
    "dynamic-registration": "the client is registered beforehand",
    "request-uri-signed-none": "no request objects",
    "request-uri-signed-rs256": "no request objects",
    "form-post-error": "answers come in the query, which a loopback page can read",
}
"""Further modules of the comprehensive plan, with the reason why they do not apply."""
