//! A client shows its secret at the token endpoint as its provider asks (RFC 6749 section 2.3.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokentoss_core::flow::Phase;
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Holds what form-encoding changes and what Basic authentication would misread.
const SECRET: &str = "s3:cr t+/%é";

fn world(method: &str) -> World {
    let mut world = World::with(|kernel| {
        kernel.client_secret = Some(SECRET.into());
        kernel.ticket()["client_secret_sealed"] = true.into();
        kernel.ticket()["provider"]["token_endpoint_auth_method"] = method.into();
    });
    world.provider.client_secret = (method != "none").then(|| SECRET.into());
    world
}

#[test]
fn client_secret_basic_is_a_header_and_leaves_nothing_in_the_form() {
    let mut world = world("client_secret_basic");
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    let header = world.provider.authorizations[0].as_deref().expect("a header");
    let pair = STANDARD.decode(header.strip_prefix("Basic ").expect("Basic")).expect("base64");
    assert_eq!(String::from_utf8(pair).expect("text"), "client.apps.example:s3%3Acr+t%2B%2F%25%C3%A9");
    let form = &world.provider.token_requests[0];
    assert!(!form.contains_key("client_id") && !form.contains_key("client_secret"), "{form:?}");
}

#[test]
fn client_secret_post_is_in_the_form_alone() {
    let mut world = world("client_secret_post");
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.provider.authorizations, [None]);
    assert_eq!(world.provider.token_requests[0]["client_secret"], SECRET);
}

#[test]
fn none_shows_no_secret_although_there_is_one() {
    let mut world = world("none");
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.provider.authorizations, [None]);
    assert!(!world.provider.token_requests[0].contains_key("client_secret"));
}

#[test]
fn a_client_without_a_secret_identifies_itself_in_the_form() {
    let mut world = World::with(|kernel| {
        kernel.ticket()["provider"]["token_endpoint_auth_method"] = "client_secret_basic".into();
    });
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    assert_eq!(world.provider.authorizations, [None]);
}
