//! What a token endpoint's answer means, and what the request looks like.

use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::renewal::{Authentication, BODY_LIMIT, RefreshAnswer, RefreshRequest, RefreshResult};
use tokentoss_custody::{ExpiredCause, Failure, Outcome, Scopes, Target};

use crate::world::secs;

/// 15 January 2027, 08:00:00 UTC.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn read(status: u16, body: &str) -> RefreshResult {
    RefreshAnswer { status, retry_after: Some("7"), received_at: NOW, body: &Secret::new(body.into()) }.read()
}

fn outcome(status: u16, body: &str) -> Outcome {
    match read(status, body) {
        RefreshResult::Outcome(outcome) => outcome,
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
        ("invalid_request", failed(Failure::RequestRefused)),
    ] {
        for status in [200, 400, 401] {
            assert_eq!(outcome(status, &format!(r#"{{"error":"{word}"}}"#)), expected, "{word} {status}");
        }
    }
}

#[test]
fn the_cause_of_an_end_is_read_from_the_words() {
    for (words, cause) in [
        (r#""error_description":"Token has been expired or revoked.""#, ExpiredCause::InvalidGrant),
        (r#""error_description":"Refresh token has expired""#, ExpiredCause::GrantExpired),
        (r#""error_description":"The user REVOKED access""#, ExpiredCause::GrantRevoked),
        (r#""error_subtype":"invalid_rapt""#, ExpiredCause::InvalidRapt),
        (r#""error_description":"admin_policy_enforced""#, ExpiredCause::AdminPolicyEnforced),
        (r#""error_description":7"#, ExpiredCause::InvalidGrant),
    ] {
        let body = format!(r#"{{"error":"invalid_grant",{words}}}"#);
        assert_eq!(outcome(400, &body), Outcome::Ended(cause), "{words}");
    }
}

#[test]
fn a_pause_is_seconds_or_a_date() {
    // 7 seconds after NOW, in each of the three forms of RFC 9110 section 5.6.7.
    for (written, pause) in [
        ("7", Some(secs(7))),
        (" 7 ", Some(secs(7))),
        ("Fri, 15 Jan 2027 08:00:07 GMT", Some(secs(7))),
        ("Friday, 15-Jan-27 08:00:07 GMT", Some(secs(7))),
        ("Fri Jan 15 08:00:07 2027", Some(secs(7))),
        ("Fri, 15 Jan 2027 07:00:00 GMT", Some(secs(0))),
        ("-7", None),
        ("soon", None),
    ] {
        let body = Secret::new(String::new());
        let answer = RefreshAnswer { status: 503, retry_after: Some(written), received_at: NOW, body: &body };
        let RefreshResult::Outcome(outcome) = answer.read() else { panic!("{written}") };
        assert_eq!(
            outcome,
            Outcome::Failed { failure: Failure::Overloaded, retry_after: pause },
            "{written}"
        );
    }
}

/// What Python makes of the same answers, in its words.
#[test]
fn the_vectors_that_python_reads_too() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/renewal.json");
    let vectors = std::fs::read_to_string(path).expect("the vectors");
    let vectors: serde_json::Value = serde_json::from_str(&vectors).expect("JSON");
    for vector in vectors.as_array().expect("a list") {
        let status = u16::try_from(vector["status"].as_u64().expect("a status")).expect("a status");
        let reading = read(status, vector["body"].as_str().expect("a body"));
        let stays = vector["rotation"] == "none";
        let verdict = match &reading {
            RefreshResult::Tokens(_) => "tokens",
            RefreshResult::RotatedOnly(_) => "doubtful",
            RefreshResult::Outcome(Outcome::Ended(_)) => "ended",
            RefreshResult::Outcome(Outcome::Failed { failure: Failure::RequestRefused, .. }) => {
                "ended_if_repeated"
            }
            RefreshResult::Outcome(Outcome::Failed { failure: Failure::UnknownRefusal, .. }) => "refused",
            // What Python doubts where the token may be spent is sent again here, within the same lease.
            RefreshResult::Outcome(Outcome::Failed { failure: Failure::Unreadable, .. }) if !stays => {
                "doubtful"
            }
            RefreshResult::Outcome(Outcome::Failed { .. }) => "passing",
            RefreshResult::Outcome(_) => "refused",
        };
        assert_eq!(verdict, vector["outcome"], "{}", vector["name"]);
        assert_eq!(
            matches!(reading, RefreshResult::RotatedOnly(_)),
            vector["rotated"] == true,
            "{}",
            vector["name"]
        );
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
    let twice = r#"{"access_token":"a","token_type":"bearer","refresh_token":"r","refresh_token":"s"}"#;
    for body in [twice, "<html>", "", "[]", "{}", r#"{"access_token":7,"token_type":"bearer"}"#, &huge] {
        let Outcome::Failed { failure, .. } = outcome(200, body) else { panic!("{body}") };
        assert!(failure == Failure::Unreadable && failure.may_have_consumed_token());
    }
}

#[test]
fn a_rotated_refresh_token_is_not_lost_with_the_rest() {
    for body in [
        r#"{"refresh_token":"next"}"#,
        r#"{"refresh_token":"next","access_token":"a","token_type":"bearer","scope":["x",7]}"#,
        r#"{"refresh_token":"next","access_token":"a","token_type":"mac"}"#,
        r#"{"refresh_token":"next","access_token":"a\nb","token_type":"bearer"}"#,
    ] {
        let RefreshResult::RotatedOnly(refresh) = read(200, body) else { panic!("{body}") };
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
        let RefreshResult::Tokens(tokens) = read(200, &body) else { panic!("{body}") };
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
