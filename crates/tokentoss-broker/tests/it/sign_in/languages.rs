//! The pages speak the language of the browser.

use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use super::{Browser, Page, begin, home, id_of, path_of, way_back};
use crate::provider::Provider;
use crate::running::Broker;

const APPLICATION: &str = "https://app.example";

fn is_in(page: &Page, language: &str) -> bool {
    page.headers["content-language"] == language
        && page.headers["vary"] == "Accept-Language"
        && page.headers["cache-control"] == "no-store"
        && page.text.contains(&format!("<html lang=\"{language}\" dir=\"ltr\">"))
}

/// The texts that a page has for its script.
fn texts_of(page: &Page) -> Value {
    let (_, rest) = page.text.split_once("<script type=\"application/json\"").expect("a data block");
    let (_, rest) = rest.split_once('>').expect("its tag");
    serde_json::from_str(rest.split_once("</script>").expect("its end").0).expect("JSON")
}

async fn broker(provider: &Provider) -> Broker {
    home(provider, "page").start_kept().await
}

#[tokio::test]
async fn every_page_is_in_the_language_of_the_browser() {
    let provider = Provider::start().await;
    let broker = broker(&provider).await;
    let english = ["Sign in with", "You&#39;re signed in with", "Not signed in"];
    let german = ["anmelden?", "Sie sind mit", "Nicht angemeldet"];
    for (browser, language, said) in [
        (Browser::default(), "en", english),
        (Browser::in_language("de-CH,en;q=0.5"), "de", german),
        (Browser::in_language("fr"), "en", english),
    ] {
        let id = id_of(&begin(&broker, "ada", json!({})).await);
        let first = browser.get(&broker, &format!("/connect/{id}")).await;
        let back = way_back(&broker, &browser, &provider, &id, "ada").await;
        let last = browser.get(&broker, &back).await;
        let again = browser.get(&broker, &back).await;
        for (page, text) in [&first, &last, &again].into_iter().zip(said) {
            assert!(is_in(page, language) && page.text.contains(text), "{text}: {}", page.text);
        }
        assert_eq!(last.headers["referrer-policy"], "no-referrer");
        assert_eq!(first.headers["referrer-policy"], "same-origin");
    }
}

#[tokio::test]
async fn applications_pages_are_as_well() {
    let provider = Provider::start().await;
    let broker = broker(&provider).await;
    let browser = Browser::in_language("de");
    let sent = browser.send(broker.request("GET", "/auth/example/login", "ada")).await;
    let back = provider.consent(sent.location(), "ada");
    let path = path_of(&back, APPLICATION);
    let closing = browser.send(broker.request("GET", path, "ada")).await;
    let said =
        "Sie sind als \u{2068}ada@example.com\u{2069} angemeldet. Sie können dieses Fenster schließen.";
    assert!(is_in(&closing, "de") && closing.text.contains(said), "{}", closing.text);
    let again = browser.send(broker.request("GET", path, "ada")).await;
    assert!(is_in(&again, "de") && again.text.contains("<code>state_mismatch</code>"), "{}", again.text);
    let without_key = browser.get(&broker, "/auth/example/login").await;
    assert!(
        is_in(&without_key, "de") && without_key.text.contains("Der Broker kennt Ihren Schlüssel nicht.")
    );
    assert_eq!(without_key.status, 401);

    let malformed = broker.http.get(broker.url("/auth/example/login")).bearer_auth(crate::running::KEY);
    let malformed = browser.send(malformed).await;
    assert_eq!(malformed.status, 400);
    assert!(malformed.text.contains("The headers that name tenant and user"), "{}", malformed.text);
}

#[tokio::test]
async fn a_list_that_is_no_list_gives_english() {
    let provider = Provider::start().await;
    let broker = broker(&provider).await;
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    for languages in
        [b"\xff\xfe".as_slice(), b"de\x80", &[b'd'; 40_000], &b"de,".repeat(10_000), b"NaN;q=NaN,;;"]
    {
        let languages = Some(HeaderValue::from_bytes(languages).expect("a value"));
        let browser = Browser { languages, ..Browser::default() };
        let page = browser.get(&broker, &format!("/connect/{id}")).await;
        assert!(page.status == 200 && is_in(&page, "en"), "{}", page.status);
    }
}

#[tokio::test]
async fn an_unknown_address_is_a_page_for_browsers() {
    let provider = Provider::start().await;
    let broker = broker(&provider).await;
    for (languages, language, said) in
        [("fr", "en", "Nothing to do here"), ("de", "de", "Hier ist nichts zu tun")]
    {
        let request = broker.http.get(broker.url("/")).header("accept", "text/html,*/*;q=0.8");
        let page = Browser::in_language(languages).send(request).await;
        assert!(page.status == 404 && is_in(&page, language) && page.text.contains(said), "{}", page.text);
    }
    let asked = broker.http.get(broker.url("/")).header("accept", "application/json");
    let posted = broker.http.post(broker.url("/")).header("accept", "text/html");
    for request in [asked, posted] {
        let page = Browser::default().send(request).await;
        assert_eq!(page.headers["content-type"], "application/problem+json");
        assert!(page.status == 404 && page.text.contains("route_unknown"), "{}", page.text);
    }
}

#[tokio::test]
async fn names_are_text_in_every_place() {
    let provider = Provider::start().await;
    let broker = broker(&provider).await;
    let browser = Browser::in_language("de");
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    let subject = "</p><b>\u{202e}\u{2069}{provider}";
    let back = way_back(&broker, &browser, &provider, &id, subject).await;
    let page = browser.get(&broker, &back).await;
    let account = "\u{2068}&#60;/p&#62;&#60;b&#62;{provider}@example.com\u{2069}";
    let provider = "\u{2068}Example\u{2069}";
    for said in [
        format!("Sie sind mit {provider} als {account} angemeldet."),
        format!("Das Konto {account} bei {provider} wird verbunden."),
    ] {
        assert!(page.text.contains(&said), "{said}: {}", page.text);
    }
    let texts = texts_of(&page);
    assert_eq!(texts["oneMoreStep"], "Noch ein Schritt");
    assert!(
        texts["interrupted"].as_str().is_some_and(|text| text.starts_with("Der Broker wurde ")),
        "{texts}"
    );
    assert_eq!(texts.as_object().expect("an object").len(), 6);
}

#[tokio::test]
async fn a_page_that_nobody_understands_says_so() {
    let provider = Provider::start().await;
    let broker = broker(&provider).await;
    let page = Browser::in_language("de").get(&broker, "/connect/%ff").await;
    assert!(is_in(&page, "de") && page.text.contains("versteht diese Anfrage nicht"), "{}", page.text);
    assert_eq!(page.status, 400);
}
