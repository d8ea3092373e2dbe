//! Who may ask, and that nobody sees what is another's.

use serde_json::json;

use crate::provider::Provider;
use crate::running::{Home, KEY, answer};

#[tokio::test]
async fn without_the_key_nobody_is_answered() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    for key in ["", "wrong", &KEY[1..], &format!("{KEY}x")] {
        let request =
            broker.request("POST", "/v1/token", "ada").header("authorization", format!("Bearer {key}"));
        // A second header of the name is not the first one.
        let response = answer(request.body("{}")).await;
        assert!([400, 401].contains(&response.status), "{response:?}");
    }
    let url = broker.request("POST", "/v1/token", "ada").build().expect("a request").url().clone();
    let response = answer(broker.http.post(url).body("{}")).await;
    assert_eq!((response.status, response.code()), (401, "caller_unauthenticated"));
    assert_eq!(response.headers["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn a_user_and_a_tenant_are_named_once() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    let twice = broker.request("POST", "/v1/token", "ada").header("x-tokentoss-user", "grace");
    let response =
        answer(twice.header("content-type", "application/json").body(r#"{"provider":"example"}"#)).await;
    assert_eq!((response.status, response.code()), (400, "invalid_request"));
}

#[tokio::test]
async fn what_is_anothers_answers_like_what_is_not_there() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    let id = broker.connect("ada", &provider.grant(), 3600).await;
    let nothing = broker.token("grace", json!({"provider": "example"})).await;
    assert_eq!((nothing.status, nothing.code()), (404, "not_connected"));
    for body in [json!({"provider": "example", "account": "ada"}), json!({"provider": "nowhere"})] {
        assert_eq!(broker.token("grace", body).await.body, nothing.body);
    }
    let foreign = answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), "grace")).await;
    let absent =
        answer(broker.request("DELETE", "/v1/accounts/00000000000000000000000000000000", "grace")).await;
    assert_eq!((foreign.status, &foreign.body), (404, &absent.body));
    let other_tenant = broker.request("GET", "/v1/accounts", "ada").build().expect("a request");
    let mut other_tenant = other_tenant;
    other_tenant.headers_mut().insert("x-tokentoss-tenant", "another".parse().expect("a header"));
    let listed = broker.http.execute(other_tenant).await.expect("an answer").text().await.expect("a body");
    assert_eq!(listed, "[]");
}
