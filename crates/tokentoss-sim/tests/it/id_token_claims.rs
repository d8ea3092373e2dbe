//! Every claim of the ID token, wrong in every way that matters.

use serde_json::{Map, Value, json};
use tokentoss_core::flow::Phase;
use tokentoss_sim::{CLIENT_ID, START, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

type Tamper = fn(&mut Map<String, Value>);

fn sign_in(claims: Tamper, header: Tamper) -> Option<String> {
    let mut world = World::new();
    world.provider.tamper_claims = claims;
    world.provider.tamper_header = header;
    world.sign_in();
    let problem = world.problem().map(str::to_owned);
    assert_eq!(problem.is_some(), world.kernel.tokens.is_empty(), "a bad token is never handed over");
    assert_eq!(problem.is_none(), world.phase() == Phase::Done);
    problem
}

fn assert_claims(code: Option<&str>, cases: &[Tamper]) {
    for (at, case) in cases.iter().enumerate() {
        assert_eq!(sign_in(*case, |_| {}).as_deref(), code, "case {at}");
    }
}

#[test]
fn c52_issuer() {
    assert_claims(
        Some("id_token_issuer_mismatch"),
        &[
            |c| {
                c.remove("iss");
            },
            |c| {
                c.insert("iss".into(), json!("https://as.example/"));
            },
            |c| {
                c.insert("iss".into(), json!("as.example"));
            },
            |c| {
                c.insert("iss".into(), json!("https://evil.example"));
            },
        ],
    );
    assert_claims(
        Some("id_token_malformed"),
        &[|c| {
            c.insert("iss".into(), json!(1));
        }],
    );
}

#[test]
fn c53_audience_and_authorized_party() {
    assert_claims(
        Some("id_token_audience_mismatch"),
        &[
            |c| {
                c.remove("aud");
            },
            |c| {
                c.insert("aud".into(), json!("other"));
            },
            |c| {
                c.insert("aud".into(), json!([]));
            },
            |c| {
                c.insert("aud".into(), json!([CLIENT_ID, "other"]));
            },
            |c| {
                c.insert("aud".into(), json!({"0": CLIENT_ID}));
            },
            |c| {
                c.insert("aud".into(), json!(null));
            },
        ],
    );
    assert_claims(
        Some("id_token_authorized_party_mismatch"),
        &[
            |c| {
                c.insert("azp".into(), json!("other"));
            },
            |c| {
                c.insert("azp".into(), json!([CLIENT_ID]));
            },
            |c| {
                c.insert("aud".into(), json!([CLIENT_ID, CLIENT_ID]));
                c.remove("azp");
            },
        ],
    );
    assert_claims(
        None,
        &[
            |c| {
                c.insert("aud".into(), json!([CLIENT_ID]));
            },
            |c| {
                c.remove("azp");
            },
        ],
    );
}

#[test]
fn c54_algorithm() {
    for header in [
        (|h| {
            h.insert("alg".into(), json!("none"));
        }) as Tamper,
        |h| {
            h.insert("alg".into(), json!("HS256"));
        },
        |h| {
            h.insert("alg".into(), json!("ES256"));
        },
        |h| {
            h.insert("alg".into(), json!("rs256"));
        },
    ] {
        assert_eq!(sign_in(|_| {}, header).as_deref(), Some("id_token_algorithm_refused"));
    }
    for header in [
        (|h| {
            h.remove("alg");
        }) as Tamper,
        |h| {
            h.insert("alg".into(), json!(null));
        },
        |h| {
            h.insert("alg".into(), json!(1));
        },
    ] {
        assert_eq!(sign_in(|_| {}, header).as_deref(), Some("id_token_malformed"));
    }
}

#[test]
fn c54_extensions_that_must_be_understood() {
    for header in [
        (|h| {
            h.insert("crit".into(), json!(["b64"]));
            h.insert("b64".into(), json!(false));
        }) as Tamper,
        |h| {
            h.insert("crit".into(), json!(null));
        },
    ] {
        assert_eq!(sign_in(|_| {}, header).as_deref(), Some("id_token_malformed"));
    }
}

#[test]
fn c56_not_before() {
    assert_claims(
        Some("clock_skew"),
        &[|c| {
            c.insert("nbf".into(), json!(START.as_secs() + 61));
        }],
    );
    assert_claims(
        Some("id_token_malformed"),
        &[|c| {
            c.insert("nbf".into(), json!("1800000000"));
        }],
    );
    assert_claims(
        None,
        &[|c| {
            c.insert("nbf".into(), json!(START.as_secs() + 60));
        }],
    );
}

#[test]
fn c7_nonce() {
    assert_claims(
        Some("id_token_nonce_mismatch"),
        &[
            |c| {
                c.remove("nonce");
            },
            |c| {
                c.insert("nonce".into(), json!(""));
            },
            |c| {
                c.insert("nonce".into(), json!("another"));
            },
        ],
    );
}

#[test]
fn c56_times() {
    const NOW: u64 = START.as_secs();
    assert_claims(
        Some("id_token_issued_at_invalid"),
        &[
            |c| {
                c.remove("iat");
            },
            |c| {
                c.insert("iat".into(), json!("1800000000"));
            },
            |c| {
                c.insert("iat".into(), json!(-1));
            },
        ],
    );
    assert_claims(
        Some("id_token_expired"),
        &[
            |c| {
                c.remove("exp");
            },
            |c| {
                c.insert("exp".into(), json!("1800003600"));
            },
            |c| {
                c.insert("exp".into(), json!(NOW - 60));
            },
            |c| {
                c.insert("exp".into(), json!(0));
            },
        ],
    );
    assert_claims(
        Some("clock_skew"),
        &[|c| {
            c.insert("iat".into(), json!(NOW + 61));
        }],
    );
    assert_claims(
        None,
        &[
            |c| {
                c.insert("exp".into(), json!(NOW - 59));
            },
            |c| {
                c.insert("iat".into(), json!(NOW + 60));
            },
            |c| {
                c.insert("iat".into(), json!(1_800_000_000.5));
            },
        ],
    );
}

#[test]
fn c56_subject() {
    assert_claims(
        Some("id_token_subject_missing"),
        &[
            |c| {
                c.remove("sub");
            },
            |c| {
                c.insert("sub".into(), json!(""));
            },
            |c| {
                c.insert("sub".into(), json!("x".repeat(256)));
            },
        ],
    );
    assert_claims(
        None,
        &[|c| {
            c.insert("sub".into(), json!("x".repeat(255)));
        }],
    );
}

#[test]
fn c57_access_token_hash() {
    assert_claims(
        Some("id_token_access_token_hash_mismatch"),
        &[
            |c| {
                c.insert("at_hash".into(), json!(""));
            },
            |c| {
                c.insert("at_hash".into(), json!("AAAAAAAAAAAAAAAAAAAAAA"));
            },
        ],
    );
    assert_claims(
        None,
        &[|c| {
            c.remove("at_hash");
        }],
    );
}

#[test]
fn c58_hosted_domain_is_the_claim_and_never_the_email() {
    let sign_in = |tamper: Tamper| {
        let mut world = World::with(|kernel| kernel.ticket()["hosted_domain"] = json!("example.com"));
        world.provider.tamper_claims = tamper;
        world.sign_in();
        world.problem().map(str::to_owned)
    };
    assert_eq!(sign_in(|_| {}), None);
    let refused: [Tamper; 3] = [
        |c| {
            c.remove("hd");
        },
        |c| {
            c.insert("hd".into(), json!("other.example"));
        },
        |c| {
            c.insert("hd".into(), json!(["example.com"]));
        },
    ];
    for tamper in refused {
        assert_eq!(sign_in(tamper).as_deref(), Some("hosted_domain_mismatch"));
    }
}

#[test]
fn tokens_that_are_no_tokens() {
    let cases: [Tamper; 6] = [
        |r| {
            r.insert("id_token".into(), json!("a.b"));
        },
        |r| {
            r.insert("id_token".into(), json!("a.b.c.d"));
        },
        |r| {
            r.insert("id_token".into(), json!(".."));
        },
        |r| {
            r.insert("id_token".into(), json!("e30.e30=.x"));
        },
        |r| {
            r.insert("id_token".into(), json!("bnVsbA.bnVsbA.x"));
        },
        |r| {
            r.insert("id_token".into(), json!("W10.W10.x"));
        },
    ];
    for tamper in cases {
        let mut world = World::new();
        world.provider.tamper_response = tamper;
        world.sign_in();
        assert_eq!(world.problem(), Some("id_token_malformed"));
        assert!(world.kernel.tokens.is_empty());
    }
}
