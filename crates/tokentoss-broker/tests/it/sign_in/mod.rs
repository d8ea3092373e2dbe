//! Signing in at the broker, with a browser that keeps cookies and follows no redirect.

mod application;
mod attacks;
mod cancelled;
mod confirmation_missing;
mod cookies;
mod deposit;
mod interrupted;
mod languages;
mod page;
mod resumed;
mod shared_machines;
mod without_scopes;

pub(crate) use deposit::sealed;

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use crate::provider::Provider;
use crate::running::{Answer, Broker, Home, answer};

/// Where browsers believe the broker to be.
pub(crate) const PUBLIC: &str = "https://broker.example";
/// The origin of the notebook page.
pub(crate) const PAGE: &str = "https://hub.example";

/// A home whose provider has this way of signing in.
pub(crate) fn home(provider: &Provider, way: &str) -> Home {
    signing_in_at(Home::new(provider), way)
}

/// The same for one on each database.
pub(crate) async fn homes(way: &str) -> Vec<Home> {
    Home::all().await.into_iter().map(|home| signing_in_at(home, way)).collect()
}

fn signing_in_at(mut home: Home, way: &str) -> Home {
    let issuer = home.provider.issuer().to_owned();
    home.of_broker = format!("public_url = \"{PUBLIC}\"\npages = [\"{PAGE}\"]");
    home.of_provider = format!(
        "revocation_endpoint = \"{}\"\n[providers.example.sign_in]\nway = \"{way}\"\ndisplay_name = \"Example\"\nissuer = \"{issuer}\"\n\
         authorization_endpoint = \"{issuer}/authorize\"\nscopes = [\"openid\", \"email\"]\nfurther_scopes = [\"files\"]",
        home.provider.revocation_endpoint
    );
    home.of_caller = "public_url = \"https://app.example\"".to_owned();
    home
}

/// A page as the browser got it.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Page {
    /// Where it sends the browser.
    pub(crate) fn location(&self) -> &str {
        self.headers["location"].to_str().expect("text")
    }

    /// The confirmation that it shows, where it can.
    pub(crate) fn confirmation(&self) -> String {
        let (_, rest) = self.text.split_once("<output").expect("a confirmation");
        let (_, rest) = rest.split_once('>').expect("a tag");
        rest.split_once('<').expect("an end").0.to_owned()
    }
}

/// One browser.
#[derive(Default)]
pub(crate) struct Browser {
    /// What it sends as `Accept-Language`, if anything.
    pub(crate) languages: Option<HeaderValue>,
    pub(crate) cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    pub(crate) async fn get(&self, broker: &Broker, path: &str) -> Page {
        self.send(broker.http.get(broker.url(path))).await
    }

    /// Posts a form, as a page of this origin would.
    pub(crate) async fn post(&self, broker: &Broker, path: &str, origin: &str) -> Page {
        self.send(broker.http.post(broker.url(path)).header("origin", origin)).await
    }

    /// One whose user prefers these languages.
    pub(crate) fn in_language(languages: &'static str) -> Self {
        Self { languages: Some(HeaderValue::from_static(languages)), ..Self::default() }
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .lock()
            .expect("not poisoned")
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request =
            self.languages.iter().fold(request, |request, it| request.header("accept-language", it));
        let response = request.header("cookie", cookies.join("; ")).send().await.expect("an answer");
        let headers = response.headers().clone();
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let (name, value) = cookie.split(';').next().expect("a pair").split_once('=').expect("a pair");
            self.cookies.lock().expect("not poisoned").insert(name.to_owned(), value.to_owned());
        }
        let status = response.status().as_u16();
        Page { status, headers, text: response.text().await.expect("a body") }
    }
}

/// Begins a sign-in for a user.
pub(crate) async fn begin(broker: &Broker, user: &str, more: Value) -> Answer {
    let mut body = json!({"provider": "example", "page_origin": PAGE, "kernel": "server lab-3"});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    broker.post("/v1/authorizations", user, &body).await
}

pub(crate) async fn view(broker: &Broker, user: &str, id: &str) -> Answer {
    answer(broker.request("GET", &format!("/v1/authorizations/{id}"), user)).await
}

pub(crate) async fn confirm(broker: &Broker, user: &str, id: &str, confirmation: &str) -> Answer {
    let path = format!("/v1/authorizations/{id}/confirm");
    broker.post(&path, user, &json!({"confirmation": confirmation})).await
}

/// The identifier of a sign-in that has begun.
pub(crate) fn id_of(begun: &Answer) -> String {
    assert_eq!(begun.status, 201, "{begun:?}");
    begun.body["id"].as_str().expect("an identifier").to_owned()
}

/// The path of an address at the broker's public origin.
pub(crate) fn path_of<'a>(address: &'a str, origin: &str) -> &'a str {
    address.strip_prefix(origin).expect("the broker's own")
}

/// Begins, says yes, consents as this person; the way back to the broker.
pub(crate) async fn way_back(
    broker: &Broker,
    browser: &Browser,
    provider: &Provider,
    id: &str,
    subject: &str,
) -> String {
    let sent = browser.post(broker, &format!("/connect/{id}"), PUBLIC).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let back = provider.consent(sent.location(), subject);
    path_of(&back, PUBLIC).to_owned()
}
