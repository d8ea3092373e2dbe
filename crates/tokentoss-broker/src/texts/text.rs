//! A text with placeholders.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text as the table has it, such as `Sign in with {provider}?`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Text(String);

impl Text {
    /// The text with untrusted values filled in. Each value is isolated, so that its writing direction does
    /// not affect the rest.
    pub(crate) fn with(&self, values: &[(&str, &str)]) -> String {
        self.filled(|name| values.iter().find(|(known, _)| *known == name).map(|(_, value)| isolated(value)))
    }

    /// The text with each placeholder filled once; braces in a value are not placeholders.
    pub(super) fn filled(&self, value: impl Fn(&str) -> Option<String>) -> String {
        self.0.split_inclusive('}').fold(String::new(), |mut filled, part| {
            let place = part.strip_suffix('}').and_then(|part| part.rsplit_once('{'));
            match place.and_then(|(before, name)| Some((before, value(name)?))) {
                Some((before, value)) => filled.extend([before, &value]),
                None => filled.push_str(part),
            }
            filled
        })
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value between First Strong Isolate and Pop Directional Isolate (Unicode UAX #9), without characters that
/// would end it.
fn isolated(value: &str) -> String {
    let kept = value.chars().filter(|letter| !is_control(*letter));
    ['\u{2068}'].into_iter().chain(kept).chain(['\u{2069}']).collect()
}

/// A control character, or one that sets the direction of writing.
fn is_control(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text(text.to_owned())
    }

    #[test]
    fn values_stand_in_their_places() {
        let filled = text("{account} at {provider}.").with(&[("provider", "Example"), ("account", "ada")]);
        assert_eq!(filled, "\u{2068}ada\u{2069} at \u{2068}Example\u{2069}.");
        assert_eq!(text("").with(&[("a", "b")]), "");
        assert_eq!(text("no place").with(&[("a", "b")]), "no place");
        assert_eq!(text("{b}{a}{").with(&[("a", "x")]), "{b}\u{2068}x\u{2069}{", "what has no value stays");
        assert_eq!(text("}{ {a}").with(&[("a", "x")]), "}{ \u{2068}x\u{2069}");
    }

    #[test]
    fn braces_in_a_value_are_no_places() {
        let filled =
            text("{account} {provider}").with(&[("account", "{provider}"), ("provider", "{account}")]);
        assert_eq!(filled, "\u{2068}{provider}\u{2069} \u{2068}{account}\u{2069}");
    }

    #[test]
    fn a_value_cannot_leave_its_isolate() {
        let filled = text("{a}").with(&[("a", "x\u{2069}\u{202e}y\u{2067}\nz\u{5d0}")]);
        assert_eq!(filled, "\u{2068}xyz\u{5d0}\u{2069}");
    }
}
