INSERT INTO authorizations (
    id, tenant, user_id, provider, way, kernel, page_origin, scopes, login_hint, stage, problem, sealed, nonce,
    state_hash, cookie_hash, confirmation_hash, confirmation_failures, grant_id, created_at, expires_at
) VALUES (
    x'16f9ec97f591f551048842192d9f97ed', 'acme', 'ada', 'example', 'page', 'lab', 'https://hub.example',
    'openid email', NULL, 'pending', NULL, NULL, 'Qa_4Zn_ijT2D36nqUFOD0xMK66fvDBR7g5imLtAvm1g',
    NULL, NULL, NULL, 0, NULL, {then}, {then} + 3600000
);
