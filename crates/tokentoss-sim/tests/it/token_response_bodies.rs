//! Bodies of the token endpoint: truncated, oversized, of the wrong type, and odd but legal ones.

use serde_json::json;
use tokentoss_core::flow::Phase;
use tokentoss_sim::{Answer, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn problem_with(body: &str) -> Option<String> {
    let mut world = World::new();
    world.provider.answer = Answer::Raw(200, body.into());
    world.sign_in();
    assert!(world.kernel.tokens.is_empty());
    world.problem().map(str::to_owned)
}

#[test]
fn c45_bodies_that_are_not_json() {
    for body in ["", " ", "<html></html>", "{\"access_token\":", "{\"access_token\":\"x\"", "{} {}", "\u{0}"]
    {
        assert_eq!(problem_with(body).as_deref(), Some("token_response_not_json"), "{body:?}");
    }
}

#[test]
fn c45_deep_nesting_does_not_break_the_parser() {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    assert!(problem_with(&deep).is_some());
}

#[test]
fn c45_oversized_bodies_are_not_used() {
    let body = json!({"access_token": "x", "token_type": "Bearer", "padding": "x".repeat(64 * 1024)});
    assert_eq!(problem_with(&body.to_string()).as_deref(), Some("token_response_too_large"));
}

#[test]
fn c45_json_of_the_wrong_shape() {
    for body in [
        "null",
        "[]",
        "1",
        "\"x\"",
        "{}",
        r#"{"error":"invalid_grant"}"#,
        r#"{"token_type":"Bearer"}"#,
        r#"{"access_token":null,"token_type":"Bearer"}"#,
        r#"{"access_token":1,"token_type":"Bearer"}"#,
        r#"{"access_token":"","token_type":"Bearer","id_token":"a.b.c"}"#,
        r#"{"access_token":"a b","token_type":"Bearer","id_token":"a.b.c"}"#,
        r#"{"access_token":"a\nb","token_type":"Bearer","id_token":"a.b.c"}"#,
        r#"{"access_token":"x","id_token":"a.b.c"}"#,
        r#"{"access_token":"x","access_token":"y","token_type":"Bearer","id_token":"a.b.c"}"#,
    ] {
        assert_eq!(problem_with(body).as_deref(), Some("token_response_invalid"), "{body}");
    }
}

#[test]
fn a_missing_id_token_is_named() {
    let body = r#"{"access_token":"x","token_type":"Bearer"}"#;
    assert_eq!(problem_with(body).as_deref(), Some("id_token_missing"));
}

#[test]
fn c46_only_bearer_tokens_are_used() {
    let body = r#"{"access_token":"x","token_type":"DPoP","id_token":"a.b.c"}"#;
    assert_eq!(problem_with(body).as_deref(), Some("token_type_unsupported"));
    for spelling in ["bearer", "BEARER", "bEaReR"] {
        let mut world = World::new();
        world.provider.tamper_response = match spelling {
            "bearer" => |r| {
                r.insert("token_type".into(), "bearer".into());
            },
            "BEARER" => |r| {
                r.insert("token_type".into(), "BEARER".into());
            },
            _ => |r| {
                r.insert("token_type".into(), "bEaReR".into());
            },
        };
        world.sign_in();
        assert_eq!(world.phase(), Phase::Done, "{spelling}");
    }
}

#[test]
fn c47_lifetimes_as_providers_write_them() {
    type Tamper = fn(&mut serde_json::Map<String, serde_json::Value>);
    let cases: [(Tamper, serde_json::Value); 8] = [
        (
            |r| {
                r.remove("expires_in");
            },
            json!(null),
        ),
        (
            |r| {
                r.insert("expires_in".into(), json!("3599"));
            },
            json!(3599),
        ),
        (
            |r| {
                r.insert("expires_in".into(), json!(3599.7));
            },
            json!(3599),
        ),
        (
            |r| {
                r.insert("expires_in".into(), json!(-1));
            },
            json!(null),
        ),
        (
            |r| {
                r.insert("expires_in".into(), json!("soon"));
            },
            json!(null),
        ),
        (
            |r| {
                r.insert("expires_in".into(), json!(1e300));
            },
            json!(null),
        ),
        (
            |r| {
                r.insert("expires_in".into(), json!(u64::MAX));
            },
            json!(315_360_000),
        ),
        (
            |r| {
                r.insert("expires_in".into(), json!([]));
            },
            json!(null),
        ),
    ];
    for (tamper, expected) in cases {
        let mut world = World::new();
        world.provider.tamper_response = tamper;
        world.sign_in();
        assert_eq!(world.kernel.tokens[0]["expires_in"], expected);
    }
}

#[test]
fn c48_unknown_members_are_ignored() {
    let mut world = World::new();
    world.provider.tamper_response = |response| {
        response.insert("refresh_token_expires_in".into(), json!(604_799));
        response.insert("x".into(), json!({"deep": [1, 2, {"er": null}]}));
    };
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
}

#[test]
fn a_missing_refresh_token_is_legal() {
    let mut world = World::new();
    world.provider.tamper_response = |response| {
        response.remove("refresh_token");
    };
    world.sign_in();
    assert_eq!(world.kernel.tokens[0]["refresh_token"], json!(null));
}
