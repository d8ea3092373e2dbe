//! The language that a browser asks for: `Accept-Language` (RFC 9110 section 12.5.4).
//!
//! No library is fit for it: `accept-language` 3.1 panics at weights that are not numbers (`q=NaN`), and
//! `fluent-langneg` 0.14 does not read weights.

use std::cmp::Reverse;

use axum::http::{HeaderMap, HeaderValue, header};

/// The longest list that is read, in bytes; browsers send some tens.
const LIMIT: usize = 1024;
/// The weight of a language that has none, in thousandths.
const FULL: u16 = 1000;

/// One language of the list.
struct Range<'a> {
    /// The first part of its tag, such as `de` of `de-AT`; `*` is any other.
    language: &'a str,
    /// In thousandths; of weight 0 is what is not wanted.
    weight: u16,
}

/// The language among the known ones that these headers prefer, if they name one. Of equal ones it is the
/// first.
pub(super) fn preferred<'a>(headers: &HeaderMap, known: &[&'a str]) -> Option<&'a str> {
    let values = headers.get_all(header::ACCEPT_LANGUAGE);
    if values.iter().map(HeaderValue::len).sum::<usize>() > LIMIT {
        return None;
    }
    let parts = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut ranges: Vec<Range<'_>> = parts.filter_map(Range::read).collect();
    ranges.sort_by_key(|range| Reverse(range.weight));
    let is_named = |code: &str| ranges.iter().any(|range| range.language.eq_ignore_ascii_case(code));
    ranges.iter().filter(|range| range.weight > 0).find_map(|range| match range.language {
        "*" => known.iter().copied().find(|code| !is_named(code)),
        language => known.iter().copied().find(|code| language.eq_ignore_ascii_case(code)),
    })
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (tag, weight) = match text.split_once(';') {
            Some((tag, weight)) => (tag, read_weight(weight.trim())?),
            None => (text, FULL),
        };
        Some(Self { language: tag.trim().split('-').next()?, weight })
    }
}

/// A weight (RFC 9110 section 12.4.2), in thousandths.
fn read_weight(text: &str) -> Option<u16> {
    let number = text.strip_prefix(['q', 'Q'])?.strip_prefix('=')?;
    let (whole, digits) = number.split_once('.').unwrap_or((number, ""));
    if digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{digits:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(FULL),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const KNOWN: [&str; 2] = ["en", "de"];

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let values = values.iter().map(|value| HeaderValue::from_bytes(value).expect("a value"));
        values.map(|value| (header::ACCEPT_LANGUAGE, value)).collect()
    }

    #[test]
    fn the_languages_of_the_shared_vectors() {
        let vectors =
            std::fs::read_to_string("../../tests/vectors/accept_language.json").expect("the vectors");
        let vectors: Vec<Value> = serde_json::from_str(&vectors).expect("a list");
        assert!(vectors.len() > 40);
        for vector in vectors {
            let header = vector["header"].as_str().expect("a header");
            let expected = vector["language"].as_str();
            assert_eq!(preferred(&headers(&[header.as_bytes()]), &KNOWN), expected, "{header}");
        }
        assert_eq!(preferred(&HeaderMap::new(), &KNOWN), None);
    }

    #[test]
    fn what_is_malformed_is_passed_over() {
        for value in [
            "de;q=2",
            "de;q=1.001",
            "de;q=-0.5",
            "de;q=NaN",
            "de;q=inf",
            "de;q=0.5555",
            "de;q=",
            "de;q",
            "de;",
            "de;level=1",
            "de;q=0.5;x=y",
            "de_AT",
            "-de",
            ";;,,==,--,\"de\"",
            "{de}",
        ] {
            assert_eq!(preferred(&headers(&[value.as_bytes()]), &KNOWN), None, "{value}");
            let also = format!("{value},de;q=0.1");
            assert_eq!(preferred(&headers(&[also.as_bytes()]), &KNOWN), Some("de"), "{also}");
        }
        assert_eq!(preferred(&headers(&[b"d\xe9,de"]), &KNOWN), None, "not text");
    }

    #[test]
    fn several_headers_are_one_list() {
        assert_eq!(preferred(&headers(&[b"en;q=0.5", b"fr,de;q=0.8"]), &KNOWN), Some("de"));
        assert_eq!(preferred(&headers(&[b"\xff", b"de"]), &KNOWN), Some("de"));
    }

    #[test]
    fn a_list_that_no_browser_sends_is_not_read() {
        let longest = format!("de{}", " ".repeat(LIMIT - 2));
        assert_eq!(preferred(&headers(&[longest.as_bytes()]), &KNOWN), Some("de"));
        for size in [LIMIT, 1 << 20] {
            let long = format!("de,{}", "x".repeat(size));
            assert_eq!(preferred(&headers(&[long.as_bytes()]), &KNOWN), None);
        }
        let many: Vec<&[u8]> = vec![b"de"; LIMIT];
        assert_eq!(preferred(&headers(&many), &KNOWN), None);
    }

    proptest! {
        #[test]
        fn no_list_harms(values in prop::collection::vec("[ -~\\t]{0,80}|([a-z*]{1,3}(;q=[0-9.NaN]{0,5})?,){0,60}", 0..4)) {
            let values: Vec<&[u8]> = values.iter().map(String::as_bytes).collect();
            let language = preferred(&headers(&values), &KNOWN);
            prop_assert!(language.is_none_or(|code| KNOWN.contains(&code)));
        }

        #[test]
        fn the_greatest_weight_wins(of_english in 1_u16..1000, of_german in 1_u16..1000) {
            let value = format!("en;q=0.{of_english:03},de-DE;q=0.{of_german:03}");
            let expected = if of_german > of_english { "de" } else { "en" };
            prop_assert_eq!(preferred(&headers(&[value.as_bytes()]), &KNOWN), Some(expected));
        }
    }
}
