//! The ticket that the kernel publishes in a trait, where other scripts of the page may have been.

use serde_json::Value;
use tokentoss_core::authorization::AuthorizationRequest;
use tokentoss_core::endpoint::EndpointUrl;
use tokentoss_core::{ErrorCode, Ticket};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::attempt::PAGE;
use crate::{Outcome, refused};

pub(crate) const CODES: &[ErrorCode] = &[
    ErrorCode::EndpointInsecure,
    ErrorCode::ParameterProtected,
    ErrorCode::ScopeOpenidMissing,
    ErrorCode::TicketInvalid,
];

/// C1, C2, C8, C10, C11: an accepted ticket leads to an authorization request in which the parameters of the flow
/// stand once each and lead where the ticket says.
///
/// # Panics
/// When that does not hold.
pub fn ticket(input: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(input) else { return Err(None) };
    let tree: Value = serde_json::from_str(text).unwrap_or_default();
    let result = Ticket::from_json(text, PAGE);
    let ticket = match result {
        Ok(ticket) => ticket,
        Err(error) => return refused(&error, CODES),
    };
    // The derived reader takes an array for an object, in the order of the members; no object of a page is one.
    if !tree["provider"].is_object() {
        return Ok(());
    }
    let pages = ticket.callback_page().map(|page| &page.url);
    for redirect_uri in ticket.redirect_uri().into_iter().chain(pages) {
        check_request(&tree, &ticket, redirect_uri);
    }
    Ok(())
}

fn check_request(tree: &Value, ticket: &Ticket, redirect_uri: &EndpointUrl) {
    let mut rng = ChaCha20Rng::from_seed([5; 32]);
    let request = AuthorizationRequest::new(ticket, redirect_uri, &mut rng).expect("a request");
    let url = url::Url::parse(request.url()).expect("a URL");
    assert_eq!(
        tree["provider"]["authorization_endpoint"],
        ticket.provider().authorization_endpoint().as_str()
    );
    assert!(url.scheme() == "https" || ticket.provider().authorization_endpoint().is_loopback(), "{url}");
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let single = |name: &str| {
        let values: Vec<&str> =
            pairs.iter().filter(|(given, _)| given == name).map(|(_, v)| v.as_str()).collect();
        assert_eq!(values.len(), 1, "{name} in {url}");
        values[0].to_owned()
    };
    assert_eq!(single("response_type"), "code");
    assert_eq!(single("code_challenge_method"), "S256");
    assert_eq!(single("client_id"), ticket.client_id());
    assert_eq!(single("state"), request.state().expose());
    assert_eq!(single("code_challenge").len(), 43);
    assert_eq!(single("redirect_uri"), redirect_uri.as_str());
    if ticket.provider().openid_connect() {
        assert_eq!(single("nonce"), request.nonce());
        assert!(single("scope").split(' ').any(|scope| scope == "openid"));
    }
}
