//! URLs of endpoints, in the strict form a provider or a listener may have.
//!
//! A grammar of our own instead of a URL parser: everything that browsers repair (white space,
//! backslashes, user information, odd schemes) is refused, so no two parsers can disagree on it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use crate::error::{Error, ErrorCode};

/// The longest endpoint that is accepted, in bytes.
const LENGTH_LIMIT: usize = 2048;

/// The URL of an endpoint: https, or http to a loopback host or to the notebook page's own origin; no user information, no
/// fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl {
    text: String,
    origin_length: usize,
    path_at: usize,
}

impl EndpointUrl {
    /// Reads an endpoint.
    ///
    /// # Errors
    /// `endpoint_insecure` for anything but https or loopback http in canonical ASCII form; the
    /// error's subject is the endpoint itself, sanitised.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_for(text, "")
    }

    /// Reads an endpoint that may also be http on the origin of the page itself, which then is no safer than it.
    ///
    /// # Errors
    /// `endpoint_insecure`, as for [`EndpointUrl::parse`].
    pub fn parse_for(text: &str, page_origin: &str) -> Result<Self, Error> {
        Self::read(text, page_origin).ok_or_else(|| Error::about(ErrorCode::EndpointInsecure, text))
    }

    /// Reads the address of a page that a person is sent to, which unlike an endpoint may have a fragment.
    pub(crate) fn of_page(text: &str) -> Option<Self> {
        let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
        let sound = text.len() <= LENGTH_LIMIT && fragment.bytes().all(is_url_byte);
        let url = Self::read(address, "").filter(|_| sound)?;
        Some(Self { text: text.to_owned(), ..url })
    }

    fn read(text: &str, page_origin: &str) -> Option<Self> {
        if text.len() > LENGTH_LIMIT || !text.bytes().all(is_url_byte) {
            return None;
        }
        let (secure, rest) = match text.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("http://")?),
        };
        let authority = rest.split(['/', '?']).next()?;
        let (host, port) = split_port(authority)?;
        if !is_host(host) || port.is_some_and(|p| !is_port(p)) {
            return None;
        }
        // Browsers leave the scheme's own port out of origins (RFC 6454 section 6.2).
        let own_port = if secure { ":443" } else { ":80" };
        let named = if port.is_some() { authority.strip_suffix(own_port) } else { None };
        let origin_length = text.len() - rest.len() + named.unwrap_or(authority).len();
        let path_at = text.len() - rest.len() + authority.len();
        let url = Self { text: text.to_owned(), origin_length, path_at };
        (secure || is_loopback(host) || url.origin() == page_origin).then_some(url)
    }

    /// The URL as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port, as a browser serialises an origin: without the port that is the scheme's own.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.text.get(..self.origin_length).unwrap_or_default()
    }

    /// Host and port, for messages to people.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.origin().rsplit('/').next().unwrap_or_default()
    }

    /// The address as browsers show it: with the canonical origin, and never with an empty path.
    #[must_use]
    pub fn as_browsers_show(&self) -> String {
        let rest = self.text.get(self.path_at..).unwrap_or_default();
        let slash = if rest.starts_with('/') { "" } else { "/" };
        String::from_iter([self.origin(), slash, rest])
    }

    /// Whether it leads to this machine (RFC 8252 section 7.3).
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        split_port(self.authority()).is_some_and(|(host, _)| is_loopback(host))
    }

    /// This URL with more query parameters; an existing query is kept (RFC 6749 section 3.1).
    #[must_use]
    pub fn with_query(&self, encoded_parameters: &str) -> String {
        let joint = match self.text.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        String::from_iter([self.as_str(), joint, encoded_parameters])
    }

    /// The query as it was given, without `?`; empty when there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        self.text.split_once('?').map_or("", |(_, query)| query)
    }

    /// Another path on the same origin.
    #[must_use]
    pub fn sibling(&self, path: &str) -> String {
        String::from_iter([self.origin(), path])
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?[]!$&'()*+,;=%@".contains(&byte)
}

fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let host_end = authority.rfind(']').map_or(0, |at| at + 1);
    match authority.get(host_end..)?.split_once(':') {
        Some((before, port)) => Some((authority.get(..host_end + before.len())?, Some(port))),
        None => Some((authority, None)),
    }
}

fn is_host(host: &str) -> bool {
    let name = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'.';
    host == "[::1]"
        || (!host.is_empty()
            && !host.starts_with('.')
            && host.bytes().all(name)
            && (!ends_in_a_number(host) || is_ipv4(host)))
}

/// Whether browsers read it as an IPv4 address, in one of its many spellings (WHATWG URL, "ends in a number checker").
fn ends_in_a_number(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let decimal = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    decimal || last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether it is an IPv4 address as browsers write it.
fn is_ipv4(host: &str) -> bool {
    let octet = |part: &str| part == "0" || (!part.starts_with('0') && part.parse::<u8>().is_ok());
    host.split('.').count() == 4 && host.split('.').all(octet)
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}

fn is_port(port: &str) -> bool {
    !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn c10_only_https_and_loopback_http_are_endpoints() {
        for good in [
            "https://accounts.example.com/o/oauth2/v2/auth",
            "https://as.example/a?tenant=1",
            "https://as.example:8443/token",
            "https://as.example",
            "http://127.0.0.1:8080/token",
            "http://[::1]:8080/token",
            "http://localhost/token",
            "https://10.0.0.255/",
            "https://4711.example/",
            "https://as.0xg/",
        ] {
            assert_eq!(EndpointUrl::parse(good).map(|url| url.as_str().to_owned()), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "javascript:alert(1)",
            " javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\tscript:alert(1)",
            "\njavascript:alert(1)",
            "data:text/html,x",
            "blob:https://as.example/1",
            "file:///etc/passwd",
            "http://as.example/token",
            "HTTPS://as.example/",
            " https://as.example/",
            "https://as.example/ ",
            "https:as.example",
            "https:\\\\as.example",
            "https://",
            "https:///path",
            "https://user@as.example/",
            "https://localhost@as.example/",
            "http://localhost@evil.example/",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.1/",
            "https://as.example:0/",
            "https://as.example:99999/",
            "https://as.example:/",
            "https://as.example:8a/",
            "https://as.example/#fragment",
            "https://as.exämple/",
            "https://AS.example/",
            "https://.example/",
            "//as.example/",
            "https://127.1/",
            "https://2130706433/",
            "https://010.0.0.1/",
            "https://10.0.0.256/",
            "https://10.0.0.1./",
            "https://0x7f.0.0.1/",
            "https://as.example.1/",
            "https://as.0x/",
        ] {
            let refused = EndpointUrl::parse(bad).map_err(|e| e.code());
            assert_eq!(refused, Err(ErrorCode::EndpointInsecure), "{bad:?}");
        }
        assert!(EndpointUrl::parse(&format!("https://a/{}", "x".repeat(LENGTH_LIMIT))).is_err());
    }

    #[test]
    fn the_pages_own_origin_may_be_plain_http() {
        let page = "http://hub.example:8000";
        for (text, accepted) in [
            ("http://hub.example:8000/callback.html", true),
            ("https://elsewhere.example/callback.html", true),
            ("http://hub.example/callback.html", false),
            ("http://hub.example:80001/", false),
            ("http://hub.example:8000.evil.example/", false),
            ("http://hub.example:8000@evil.example/", false),
        ] {
            assert_eq!(EndpointUrl::parse_for(text, page).is_ok(), accepted, "{text}");
        }
        assert!(EndpointUrl::parse_for("null", "null").is_err());
    }

    #[test]
    fn parts_are_taken_as_they_stand() {
        let url = EndpointUrl::parse("http://127.0.0.1:4711/a?b=c").unwrap();
        assert_eq!((url.origin(), url.authority()), ("http://127.0.0.1:4711", "127.0.0.1:4711"));
        assert!(url.is_loopback());
        assert_eq!(url.sibling("/start"), "http://127.0.0.1:4711/start");
        assert_eq!(EndpointUrl::parse("https://as.example?x").unwrap().origin(), "https://as.example");
    }

    #[test]
    fn r3_an_origin_is_as_browsers_write_it() {
        for (text, origin, shown) in [
            ("https://as.example:443/cb", "https://as.example", "https://as.example/cb"),
            ("https://as.example:443", "https://as.example", "https://as.example/"),
            ("https://as.example:443?x", "https://as.example", "https://as.example/?x"),
            ("http://localhost:80/cb", "http://localhost", "http://localhost/cb"),
            ("http://[::1]:80/", "http://[::1]", "http://[::1]/"),
            ("https://as.example:80/cb", "https://as.example:80", "https://as.example:80/cb"),
            ("https://as.example:4430/cb", "https://as.example:4430", "https://as.example:4430/cb"),
            ("http://localhost:443/cb", "http://localhost:443", "http://localhost:443/cb"),
        ] {
            let url = EndpointUrl::parse(text).unwrap();
            assert_eq!((url.origin(), url.as_str()), (origin, text));
            assert_eq!(url.as_browsers_show(), shown);
        }
    }

    #[test]
    fn c12_an_existing_query_is_kept() {
        for (endpoint, whole) in [
            ("https://as.example/a", "https://as.example/a?x=1"),
            ("https://as.example/a?", "https://as.example/a?x=1"),
            ("https://as.example/a?tenant=1", "https://as.example/a?tenant=1&x=1"),
        ] {
            assert_eq!(EndpointUrl::parse(endpoint).unwrap().with_query("x=1"), whole);
        }
    }
}
