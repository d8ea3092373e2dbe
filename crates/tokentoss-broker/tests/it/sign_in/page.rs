//! By pages of the broker.

use serde_json::json;

use super::{Browser, PAGE, PUBLIC, begin, confirm, home, id_of, path_of, view, way_back};
use crate::provider::Provider;
use crate::running::answer;

#[tokio::test]
async fn somebody_signs_in_and_types_the_confirmation() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let begun = begin(&broker, "ada", json!({"scopes": ["files"]})).await;
    let id = id_of(&begun);
    assert_eq!(begun.body["way"], "page");
    assert_eq!(begun.headers["cache-control"], "no-store");

    let browser = Browser::default();
    let url = begun.body["url"].as_str().expect("an address");
    let first = browser.get(&broker, path_of(url, PUBLIC)).await;
    for said in ["Example", "ada", "acme", "server lab-3", PAGE, "client-1", "files"] {
        assert!(first.text.contains(said), "{said}: {}", first.text);
    }
    let back = way_back(&broker, &browser, &provider, &id, "ada-at-example").await;
    let last = browser.get(&broker, &back).await;
    assert_eq!(last.status, 200, "{}", last.text);
    assert!(last.text.contains("ada-at-example@example.com"));

    assert_eq!(view(&broker, "ada", &id).await.body["status"], "confirm");
    let accounts = answer(broker.request("GET", "/v1/accounts", "ada")).await;
    assert_eq!(accounts.body, json!([]), "nothing is connected before it is confirmed");

    let typed = last.confirmation().to_lowercase();
    let done = confirm(&broker, "ada", &id, &format!("{} {}", &typed[..4], &typed[4..])).await;
    assert_eq!((done.status, done.body["status"].as_str()), (200, Some("done")), "{done:?}");
    assert_eq!(done.body["account"]["subject"], "ada-at-example");
    let token = broker.token("ada", json!({"provider": "example", "id_token": true})).await;
    assert_eq!(token.status, 200, "{token:?}");
    assert!(token.body["id_token"].as_str().is_some_and(|token| token.split('.').count() == 3));
    assert_eq!(token.body["scopes"], json!(["email", "files", "openid"]));
    let sent = provider.forms();
    assert_eq!((sent.len(), sent[0]["grant_type"].as_str()), (1, "authorization_code"));
    assert_eq!(sent[0]["redirect_uri"], format!("{PUBLIC}/callback"));
}

#[tokio::test]
async fn the_notebook_page_that_answers_is_confirmation_enough() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    let browser = Browser::default();
    let back = way_back(&broker, &browser, &provider, &id, "ada").await;
    let last = browser.get(&broker, &back).await;
    assert!(
        last.text.contains(&format!("data-id=\"{id}\""))
            && last.text.contains(&format!("data-origin=\"{PAGE}\""))
    );
    let waiting = answer(broker.request("GET", &format!("/v1/authorizations/{id}?wait=25"), "ada"));
    let path = format!("/connect/{id}/here");
    let here = browser.post(&broker, &path, PUBLIC);
    let (seen, here) = tokio::join!(waiting, here);
    assert_eq!(here.status, 204, "{}", here.text);
    assert!(["confirm", "done"].contains(&seen.body["status"].as_str().expect("a status")), "{seen:?}");
    assert_eq!(view(&broker, "ada", &id).await.body["status"], "done");
}

#[tokio::test]
async fn who_waits_is_told_when_the_account_is_there() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    let browser = Browser::default();
    let waits = answer(broker.request("GET", &format!("/v1/authorizations/{id}?wait=25"), "ada"));
    let signs_in = async {
        let back = way_back(&broker, &browser, &provider, &id, "ada").await;
        browser.get(&broker, &back).await
    };
    let (seen, _) = tokio::join!(waits, signs_in);
    assert_eq!(seen.body["status"], "confirm");
}

#[tokio::test]
async fn a_broker_that_starts_again_goes_on() {
    let provider = Provider::start().await;
    let home = home(&provider, "page");
    let broker = home.start().await;
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    let browser = Browser::default();
    let back = way_back(&broker, &browser, &provider, &id, "ada").await;
    broker.stop().await;
    let broker = home.start().await;
    let last = browser.get(&broker, &back).await;
    let confirmation = last.confirmation();
    broker.stop().await;
    let broker = home.start().await;
    assert_eq!(confirm(&broker, "ada", &id, &confirmation).await.body["status"], "done");
}

#[tokio::test]
async fn a_user_who_wants_another_account_is_asked_for_it() {
    let provider = Provider::start().await;
    let mut home = home(&provider, "page");
    let broker = home.start().await;
    let wish = json!({"login_hint": "ada@example.com"});
    let path = format!("/connect/{}", id_of(&begin(&broker, "ada", wish.clone()).await));
    let browser = Browser::default();
    assert!(!browser.get(&broker, &path).await.text.contains("another account"), "it is not known to work");
    broker.stop().await;

    home.of_provider.push_str(
        "\nauthorization_params = { prompt = \"consent\", access_type = \"offline\" }\n\
         account_choice_params = { prompt = \"select_account\" }",
    );
    let broker = home.start().await;
    let path = format!("/connect/{}", id_of(&begin(&broker, "ada", wish).await));
    let offered = "<button name=\"account\" value=\"another\">";
    assert!(browser.get(&broker, &path).await.text.contains(offered));
    let wanted = browser.get(&broker, &format!("{path}?account=another")).await;
    assert!(wanted.text.contains("value=\"another\" class=\"primary\" autofocus"), "{}", wanted.text);

    for (form, prompt, hint) in [
        ("account=another", "prompt=select_account+consent", false),
        ("", "prompt=consent", true),
        ("account=other&account", "prompt=consent", true),
        ("account=%ff&=&account=another", "prompt=select_account+consent", false),
    ] {
        let request = broker.http.post(broker.url(&path)).header("origin", PUBLIC).body(form);
        let sent = browser.send(request).await;
        assert_eq!(sent.status, 303, "{form}: {}", sent.text);
        let location = sent.location().replace("%20", "+");
        assert!(location.contains(prompt) && location.contains("access_type=offline"), "{form}: {location}");
        assert_eq!(location.contains("login_hint="), hint, "{form}: {location}");
    }
}

#[tokio::test]
async fn a_refusal_ends_it_and_says_why() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    let browser = Browser::default();
    let back = way_back(&broker, &browser, &provider, &id, "ada").await;
    let (path, query) = back.split_once('?').expect("a query");
    let state = query.split_once("state=").expect("a state").1;
    let last = browser.get(&broker, &format!("{path}?error=access_denied&state={state}")).await;
    assert!(last.text.contains("data-code=\"access_denied\""), "{}", last.text);
    let seen = view(&broker, "ada", &id).await;
    assert_eq!(
        (seen.body["status"].as_str(), seen.body["problem"]["code"].as_str()),
        (Some("failed"), Some("access_denied"))
    );
    assert!(provider.forms().is_empty());
}

#[tokio::test]
async fn two_sign_ins_in_one_browser_do_not_mix() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let browser = Browser::default();
    let (one, other) =
        (id_of(&begin(&broker, "ada", json!({})).await), id_of(&begin(&broker, "ada", json!({})).await));
    let back_of_one = way_back(&broker, &browser, &provider, &one, "first").await;
    let back_of_other = way_back(&broker, &browser, &provider, &other, "second").await;
    for (id, back, subject) in [(&other, back_of_other, "second"), (&one, back_of_one, "first")] {
        let last = browser.get(&broker, &back).await;
        let done = confirm(&broker, "ada", id, &last.confirmation()).await;
        assert_eq!(done.body["account"]["subject"], subject);
    }
}

#[tokio::test]
async fn a_sign_in_that_was_given_up_is_gone() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    let given_up = answer(broker.request("DELETE", &format!("/v1/authorizations/{id}"), "ada")).await;
    assert_eq!(given_up.status, 204);
    assert_eq!(view(&broker, "ada", &id).await.code(), "authorization_unknown");
    let page = Browser::default().get(&broker, &format!("/connect/{id}")).await;
    assert_eq!(page.status, 404);
}

#[tokio::test]
async fn pages_cannot_be_framed_and_load_nothing() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let id = id_of(&begin(&broker, "ada", json!({"kernel": "<b>\"'&"})).await);
    let page = Browser::default().get(&broker, &format!("/connect/{id}")).await;
    let policy = page.headers["content-security-policy"].to_str().expect("text");
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    // With `no-referrer` browsers would send `Origin: null` with the form of this page.
    for (name, value) in
        [("x-frame-options", "DENY"), ("referrer-policy", "same-origin"), ("cache-control", "no-store")]
    {
        assert_eq!(page.headers[name], value);
    }
    let back = way_back(&broker, &Browser::default(), &provider, &id, "ada").await;
    let stranger = Browser::default().get(&broker, &back).await;
    assert_eq!(stranger.headers["referrer-policy"], "no-referrer", "its address holds the code");
    assert!(!page.text.contains("<b>"), "what callers say is text");
}
