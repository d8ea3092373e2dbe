//! Addresses of endpoints.

use tokentoss_core::ErrorCode;
use tokentoss_core::endpoint::EndpointUrl;

use crate::{Outcome, refused};

/// C10: what is accepted means to a browser's parser what it means to the core: same scheme, same host, same port,
/// nobody's name in it.
///
/// # Panics
/// When that does not hold.
pub fn endpoint(input: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(input) else { return Err(None) };
    let endpoint = match EndpointUrl::parse(text) {
        Ok(endpoint) => endpoint,
        Err(error) => return refused(&error, &[ErrorCode::EndpointInsecure]),
    };
    let Ok(url) = url::Url::parse(text) else {
        // Which names in Punycode are names takes the tables of Unicode, and a browser opens none that is not.
        assert!(text.contains("xn--"), "a browser cannot read {text}");
        return Ok(());
    };
    let host = url.host_str().expect("a host");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{url}");
    let loopback = ["127.0.0.1", "[::1]", "localhost"].contains(&host);
    assert!(url.scheme() == "https" || (url.scheme() == "http" && loopback), "{url}");
    assert_eq!(endpoint.is_loopback(), loopback);
    // Browsers leave the scheme's own port out.
    let canonical = url.origin().ascii_serialization();
    let given = endpoint.origin().strip_suffix(if url.scheme() == "https" { ":443" } else { ":80" });
    assert_eq!(given.unwrap_or(endpoint.origin()), canonical);
    let extended = url::Url::parse(&endpoint.with_query("x=1")).expect("a URL");
    assert_eq!(extended.origin(), url.origin());
    assert!(extended.query_pairs().any(|(name, value)| name == "x" && value == "1"));
    Ok(())
}
