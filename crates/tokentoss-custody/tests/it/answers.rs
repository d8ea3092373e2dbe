//! What a token endpoint's answer means, and what the request looks like.

use tokentoss_core::Secret;
use tokentoss_custody::renewal::{Authentication, BODY_LIMIT, Reading, RefreshAnswer, RefreshRequest};
use tokentoss_custody::{ExpiredCause, Failure, Outcome, Scopes, Target};

use crate::world::secs;

fn read(status: u16, body: &str) -> Reading {
    RefreshAnswer { status, retry_after: Some("7"), body: &Secret::new(body.into()) }.read()
}

fn outcome(status: u16, body: &str) -> Outcome {
    match read(status, body) {
        Reading::Outcome(outcome) => outcome,
        other => panic!("no refusal: {other:?}"),
    }
}

fn failed(failure: Failure) -> Outcome {
    Outcome::Failed { failure, retry_after: Some(secs(7)) }
}

#[test]
fn refusals_are_sorted_by_who_must_act() {
    for (word, expected) in [
        ("invalid_grant", Outcome::Ended(ExpiredCause::InvalidGrant)),
        ("bad_refresh_token", Outcome::Ended(ExpiredCause::InvalidGrant)),
        ("interaction_required", Outcome::Ended(ExpiredCause::InteractionRequired)),
        ("consent_required", Outcome::Ended(ExpiredCause::ConsentRequired)),
        ("login_required", Outcome::Ended(ExpiredCause::LoginRequired)),
        ("access_denied", Outcome::Ended(ExpiredCause::AccessDenied)),
        ("invalid_client", Outcome::InvalidClient),
        ("unauthorized_client", Outcome::UnauthorizedClient),
        ("unsupported_grant_type", Outcome::UnauthorizedClient),
        ("invalid_scope", Outcome::ScopeRefused),
        ("invalid_target", Outcome::ScopeRefused),
        ("server_error", failed(Failure::ServerFailed)),
        ("temporarily_unavailable", failed(Failure::Overloaded)),
        ("nonsense", failed(Failure::UnknownRefusal)),
        ("invalid_request", failed(Failure::UnknownRefusal)),
    ] {
        for status in [200, 400, 401] {
            assert_eq!(outcome(status, &format!(r#"{{"error":"{word}"}}"#)), expected, "{word} {status}");
        }
    }
}

#[test]
fn an_unwell_server_says_nothing_of_the_grant() {
    for status in [500, 502, 504, 599] {
        assert_eq!(outcome(status, r#"{"error":"invalid_grant"}"#), failed(Failure::ServerFailed));
    }
    for status in [408, 425, 429, 503] {
        assert_eq!(outcome(status, r#"{"error":"invalid_grant"}"#), failed(Failure::Overloaded));
    }
    for status in [301, 302, 403, 404, 401] {
        assert_eq!(outcome(status, "<html>"), failed(Failure::UnknownRefusal));
    }
}

#[test]
fn a_success_that_cannot_be_read_may_have_spent_the_token() {
    let huge = format!(r#"{{"access_token":"{}"}}"#, "a".repeat(BODY_LIMIT));
    for body in ["<html>", "", "[]", "{}", r#"{"access_token":7,"token_type":"bearer"}"#, &huge] {
        let Outcome::Failed { failure, .. } = outcome(200, body) else { panic!("{body}") };
        assert!(failure == Failure::Unreadable && failure.may_have_spent());
    }
}

#[test]
fn a_rotated_refresh_token_is_not_lost_with_the_rest() {
    for body in [
        r#"{"refresh_token":"next"}"#,
        r#"{"refresh_token":"next","access_token":"a","token_type":"mac"}"#,
        r#"{"refresh_token":"next","access_token":"a\nb","token_type":"bearer"}"#,
    ] {
        let Reading::RotatedOnly(refresh) = read(200, body) else { panic!("{body}") };
        assert_eq!(refresh.expose(), "next");
    }
}

#[test]
fn tokens_are_read_with_any_way_to_write_their_life() {
    for (written, life) in [
        ("3600", Some(secs(3600))),
        (r#""3600""#, Some(secs(3600))),
        ("3599.9", Some(secs(3599))),
        ("0", None),
        ("-5", None),
        (r#""soon""#, None),
        ("null", None),
    ] {
        let body =
            format!(r#"{{"access_token":"a","token_type":"Bearer","expires_in":{written},"scope":"x y"}}"#);
        let Reading::Tokens(tokens) = read(200, &body) else { panic!("{body}") };
        assert_eq!((tokens.expires_in, tokens.scopes), (life, Some(Scopes::read("x y"))));
        assert!(tokens.refresh.is_none() && tokens.id_token.is_none());
    }
}

#[test]
fn the_client_shows_itself_in_one_way() {
    let (secret, refresh) = (Secret::new("s&t".into()), Secret::new("r".into()));
    let request = |authentication| RefreshRequest::new("a:b", authentication, &refresh, &Target::default());
    let basic = request(Authentication::Basic(&secret));
    assert_eq!(basic.body.expose(), "grant_type=refresh_token&refresh_token=r");
    // base64 of "a%3Ab:s%26t"
    assert_eq!(basic.authorization.expect("a header").expose(), "Basic YSUzQWI6cyUyNnQ=");
    let post = request(Authentication::Post(&secret));
    assert!(post.authorization.is_none());
    assert!(post.body.expose().ends_with("&client_id=a%3Ab&client_secret=s%26t"));
    assert!(request(Authentication::None).body.expose().ends_with("refresh_token=r&client_id=a%3Ab"));
}

#[test]
fn a_target_is_named() {
    let refresh = Secret::new("r".into());
    let form = |audience: &str| {
        let target = Target { scopes: Scopes::read("b a"), audience: Some(audience.into()) };
        RefreshRequest::new("c", Authentication::None, &refresh, &target).body
    };
    assert!(form("api").expose().contains("&scope=a+b&audience=api&"));
    assert!(form("https://a.example").expose().contains("&resource=https%3A%2F%2Fa.example&"));
}
