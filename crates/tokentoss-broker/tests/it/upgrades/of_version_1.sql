INSERT INTO tenants (id, data_key, created_at) VALUES (
    'acme',
    x'01056669727374ec442e549478c6fa9d39e3c0ce64e7ab19200165ca81db07213eec45370cb5052a095f333c22feb6e070cf341b3de7c3010499de0b24f4ab25daa90813cd0ac3205d94ec9041bdd5',
    {then}
);
INSERT INTO grants (
    id, tenant, user_id, provider, issuer, subject, email, version, status, cause, cause_revision, consented,
    refresh_hash, refresh_cell, id_hash, id_cell, id_expires_at, assumed_life,
    connected_at, renewed_at, used_at, refresh_at, keep_alive_at,
    failures, failure, failed_at, next_attempt_at, lease_owner, lease_until, attempt_hash, attempt_at
) VALUES (
    x'09a3ad5c8a450503198861c1b997df0a', 'acme', 'ada', 'example', '{issuer}', 'ada', NULL, 1, 'active', NULL, NULL,
    'files.read profile',
    x'bd473e5dcdce2510c2df4f0c5a54a605fa3647fe74afae20a8cdb8b91b1a1f63', x'5176b359a175b15b5268be488907bdce',
    NULL, NULL, NULL, 3600000,
    {then}, {then}, {then}, {then} + 2150073, {then} + 9288318388,
    0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
);
INSERT INTO cells (id, grant_id, sealed) VALUES (
    x'ef4acf98075b2a29f264710d78f12f6f',
    x'09a3ad5c8a450503198861c1b997df0a',
    x'01d637e435745dd7769770451116291270bd9af0fc8c9e344b04d2df265dad6848ab63e654b4a8e7d2036df5f01ab93a29c3c2a28d3b1d12bbd8660e249a2a686425f42f'
), (
    x'5176b359a175b15b5268be488907bdce',
    x'09a3ad5c8a450503198861c1b997df0a',
    x'01d637e435745dd776045fe9333b9c45d4129c2e2da2a233184dd4a2952f92f970bea1e195ccca196eccdcb16eca2f0d59530f07c69ae33a8034'
);
INSERT INTO tokens (grant_id, scopes, audience, hash, cell, granted, obtained_at, expires_at, refused_until) VALUES (
    x'09a3ad5c8a450503198861c1b997df0a', '', '',
    x'8ce8178f0b369f569c0bf5df957c17b007928ca6dc94657a5d970c6038f5f964', x'ef4acf98075b2a29f264710d78f12f6f',
    'files.read profile', {then}, {then} + 3600000, NULL
);
