//! Which headers pass, both ways.

mod names;

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::store::GrantId;
use names::{CHALLENGES_RETURNED, HOP_BY_HOP, LINKS_NOT_RETURNED, NOT_RETURNED, NOT_SENT, is_listed};

/// Marks an answer of the service.
const MARK: HeaderName = HeaderName::from_static("tokentoss-through");

/// Names the account that was used.
const ACCOUNT: HeaderName = HeaderName::from_static("tokentoss-account");

/// What a browser makes of an answer that it shows in the broker's origin: nothing.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
);

/// The headers of the request that is sent. `naming` are those by which callers name tenants and users.
pub(super) fn to_service(headers: &HeaderMap, naming: &[String]) -> HeaderMap {
    passed(headers, |name, _| is_listed(name, NOT_SENT) || naming.iter().any(|naming| folded(naming) == name))
}

/// The headers of the answer that is passed on, of a call with this account's token.
pub(super) fn to_caller(headers: &HeaderMap, account: GrantId) -> HeaderMap {
    let mut passed = passed(headers, |name, value| match name {
        "link" => has_relation_of(value, LINKS_NOT_RETURNED),
        "www-authenticate" => !is_challenge_of(value, CHALLENGES_RETURNED),
        name => is_listed(name, NOT_RETURNED),
    });
    passed.extend(marks(account));
    passed.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    passed.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    passed
}

/// What marks an answer of a service, and says with whose token it was called.
pub(crate) fn marks(account: GrantId) -> [(HeaderName, HeaderValue); 2] {
    // An identifier has digits alone, which any header takes.
    let account = HeaderValue::try_from(account.to_string()).unwrap_or(HeaderValue::from_static(""));
    [(MARK, HeaderValue::from_static("1")), (ACCOUNT, account)]
}

/// Whether `Link` may have one of these relations (RFC 8288). What is written in an odd way counts as if it had.
fn has_relation_of(value: &HeaderValue, relations: &[&str]) -> bool {
    let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
    if text.contains('\\') {
        return true;
    }
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once("rel") {
        if relations_at(after).any(|named| relations.contains(&named)) {
            return true;
        }
        rest = after;
    }
    false
}

/// The relations that follow `rel`, if it is the parameter's name.
fn relations_at(after: &str) -> impl Iterator<Item = &str> {
    let value = after.trim_start().strip_prefix('=').unwrap_or_default().trim_start();
    let named = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([';', ',']).next(),
    };
    named.unwrap_or_default().split_ascii_whitespace().map(|name| name.trim_matches(['"', '\'']))
}

/// Whether each challenge of `WWW-Authenticate` is of one of these schemes (RFC 9110 section 11.6.1).
fn is_challenge_of(value: &HeaderValue, schemes: &[&str]) -> bool {
    let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
    let mut parts = outside_quotes(&text).into_iter();
    let is_of =
        |part: &str| part.split_ascii_whitespace().next().is_some_and(|scheme| schemes.contains(&scheme));
    // The first part begins a challenge; of the others each that does not begin with a parameter.
    let is_parameter = |part: &str| {
        let name = part.split('=').next().unwrap_or_default().trim();
        part.contains('=') && !name.contains(char::is_whitespace)
    };
    parts.next().is_some_and(|first| is_of(&first)) && parts.all(|part| is_parameter(&part) || is_of(&part))
}

/// The parts between commas, where those in quotes do not count.
fn outside_quotes(text: &str) -> Vec<String> {
    let (mut parts, mut is_quoted, mut is_escaped) = (vec![String::new()], false, false);
    for letter in text.chars() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Whether a request wants another protocol.
pub(super) fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE) || connection_names(headers).any(|name| name == "upgrade")
}

fn passed(headers: &HeaderMap, is_refused: impl Fn(&str, &HeaderValue) -> bool) -> HeaderMap {
    let of_connection: Vec<String> = connection_names(headers).collect();
    let mut passed = HeaderMap::new();
    for (name, value) in headers {
        let plain = folded(name.as_str());
        let stays_here = HOP_BY_HOP.contains(&plain.as_str()) || of_connection.contains(&plain);
        if !stays_here && !is_refused(&plain, value) {
            passed.append(name.clone(), value.clone());
        }
    }
    passed
}

/// The headers that `Connection` names.
fn connection_names(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let values = headers.get_all(header::CONNECTION).into_iter();
    let text = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let names = text.flat_map(|text| text.split(',').map(|name| folded(name.trim())).collect::<Vec<_>>());
    names.filter(|name| !name.is_empty())
}

/// A name as servers with CGI variables read it, for which `_` and `-` are one.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}
