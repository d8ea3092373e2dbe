//! The target of a call. A target that two programs could parse differently is refused.

use std::fmt;

use axum::http::Uri;

/// The prefix of the route.
const PREFIX: &str = "/v1/through/";
/// The longest path and query, in bytes.
const LIMIT: usize = 8 * 1024;

/// The target of a call.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// The provider's name in the configuration.
    pub provider: String,
    /// The host in lower case, with its port where the request names one.
    pub host: String,
    /// The path, with its first slash.
    pub path: String,
    /// The query, without its question mark.
    pub query: Option<String>,
}

impl fmt::Debug for Target {
    /// Omits path and query, which may be confidential.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, host, .. } = self;
        formatter
            .debug_struct("Target")
            .field("provider", provider)
            .field("host", host)
            .finish_non_exhaustive()
    }
}

impl Target {
    /// Parses the URI of a request; none if it is ambiguous or does not belong to this route.
    #[must_use]
    pub fn read(uri: &Uri) -> Option<Self> {
        // The absolute form is for proxies (RFC 9112 section 3.2.2).
        if uri.scheme().is_some() || uri.authority().is_some() || uri.to_string().len() > LIMIT {
            return None;
        }
        let rest = uri.path().strip_prefix(PREFIX)?;
        let (provider, rest) = rest.split_once('/')?;
        let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
        let is_provider = !provider.is_empty() && provider.bytes().all(is_plain);
        let is_host = !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
        if !is_provider || !is_host || !is_clear(path) {
            return None;
        }
        Some(Self {
            provider: provider.to_owned(),
            host: host.to_ascii_lowercase(),
            path: format!("/{path}"),
            query: uri.query().map(str::to_owned),
        })
    }
}

/// Whether every program splits this path into the same segments.
fn is_clear(path: &str) -> bool {
    let count = path.split('/').count();
    path.split('/').enumerate().all(|(index, segment)| {
        // Some servers remove empty inner segments; an empty last one is a trailing slash.
        (!segment.is_empty() || index + 1 == count) && decoded(segment).is_some_and(|text| !is_dots(&text))
    })
}

/// The decoded bytes of a segment; none if an encoded byte could change the segments.
fn decoded(segment: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            if !byte.is_ascii_graphic() || byte == b'\\' {
                return None;
            }
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        let byte = u8::try_from(high * 16 + low).ok()?;
        // A separator, a dot, a second layer of encoding, or a control character.
        if matches!(byte, b'/' | b'\\' | b'.' | b'%' | b';' | b'?' | b'#') || byte.is_ascii_control() {
            return None;
        }
        bytes.push(byte);
    }
    Some(bytes)
}

/// Whether a segment is `.` or `..`, also with path parameters (RFC 3986 section 3.3).
fn is_dots(segment: &[u8]) -> bool {
    let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
    name == b"." || name == b".." || (name.is_empty() && !segment.is_empty())
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}
