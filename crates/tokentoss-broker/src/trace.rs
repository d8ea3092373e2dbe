//! Which request a line of the log and a problem belong to (W3C Trace Context).

use std::fmt;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::random;

/// The header in which a caller names its trace (W3C Trace Context, section 3.2).
const HEADER: &str = "traceparent";

tokio::task_local! {
    /// The trace of the request that this task answers.
    static CURRENT: TraceId;
}

/// The identifier of a trace: 16 bytes, of which not all are zero, written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceId([u8; 16]);

impl TraceId {
    /// That of the request which this task answers; none outside of one.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(|trace| *trace).ok()
    }

    /// The trace that the caller named, or else a new one: a header that is malformed or repeated counts as none (section 4.3).
    fn of(headers: &HeaderMap) -> Self {
        let mut named = headers.get_all(HEADER).iter();
        let first = named.next().and_then(|value| Self::in_header(value.as_bytes()));
        first.filter(|_| named.next().is_none()).unwrap_or_else(|| Self(random::bytes()))
    }

    /// The trace in a header's value: version, trace, parent and flags, and from version 1 on maybe more (section 4.3).
    fn in_header(value: &[u8]) -> Option<Self> {
        let mut parts = value.splitn(5, |byte| *byte == b'-');
        let [version, trace, parent, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let has_more = parts.next().is_some();
        let version = decoded::<1>(version)?;
        if version == [0xff] || (version == [0] && has_more) {
            return None;
        }
        let trace = decoded::<16>(trace)?;
        let parent = decoded::<8>(parent)?;
        decoded::<1>(flags)?;
        (trace != [0; 16] && parent != [0; 8]).then_some(Self(trace))
    }
}

/// Bytes as exactly so many lower-case hexadecimal digits.
fn decoded<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (base16ct::lower::decode(digits, &mut bytes).ok()?.len() == N).then_some(bytes)
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:x}", base16ct::HexDisplay(&self.0))
    }
}

/// Answers a request so that its problem and all lines of the log that it causes name the same trace.
pub(crate) async fn follow(request: Request, next: Next) -> Response {
    let trace = TraceId::of(request.headers());
    // Also where the log is limited to errors.
    let span = tracing::error_span!("request", trace_id = %trace);
    CURRENT.scope(trace, next.run(request)).instrument(span).await
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn named(value: &str) -> Option<String> {
        TraceId::in_header(value.as_bytes()).map(|trace| trace.to_string())
    }

    #[test]
    fn the_trace_of_a_caller_is_taken_over() {
        for value in [
            format!("00-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902b7-00"),
            // A later version may say more.
            format!("01-{TRACE}-00f067aa0ba902b7-01-what-comes"),
            format!("cc-{TRACE}-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(named(&value).as_deref(), Some(TRACE), "{value}");
        }
    }

    #[test]
    fn what_is_malformed_names_no_trace() {
        let upper = TRACE.to_uppercase();
        for value in [
            String::new(),
            TRACE.to_owned(),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{upper}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", "4b".repeat(15)),
            format!("00-{TRACE}a-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902b7-1"),
            format!("0-{TRACE}-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(named(&value), None, "{value}");
        }
    }

    #[test]
    fn a_header_that_is_repeated_names_no_trace() {
        let value = HeaderValue::from_str(&format!("00-{TRACE}-00f067aa0ba902b7-01")).expect("a value");
        let mut headers = HeaderMap::new();
        headers.append(HEADER, value.clone());
        assert_eq!(TraceId::of(&headers).to_string(), TRACE);
        headers.append(HEADER, value);
        assert_ne!(TraceId::of(&headers).to_string(), TRACE);
        assert_ne!(TraceId::of(&headers), TraceId::of(&headers), "each request has its own");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_name_nothing(value in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(trace) = TraceId::in_header(&value) {
                let digits = trace.to_string();
                prop_assert_eq!(digits.as_bytes(), &value[3..35]);
            }
        }
    }
}
