//! What an error is about: names from outside, made safe to show.

use alloc::string::String;
use core::fmt;

/// The longest name that is shown, in characters.
const LENGTH_LIMIT: usize = 80;

/// A host, a parameter or a provider's own error code: printable ASCII of limited length, without
/// markup, quotes or anything that a terminal or a page would act on.
#[derive(Clone, PartialEq, Eq)]
pub struct About(String);

impl About {
    /// Keeps the harmless characters; `None` when nothing is left.
    #[must_use]
    pub fn sanitised(text: &str) -> Option<Self> {
        let harmless = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.' | '_' | ':' | '/');
        let kept: String = text.chars().filter(harmless).take(LENGTH_LIMIT).collect();
        (!kept.trim().is_empty()).then_some(Self(kept))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn c44_provider_text_is_capped_and_cleaned() {
        let shown = |text: &str| About::sanitised(text).map(|about| about.as_str().to_string());
        assert_eq!(shown("<img src=x onerror=alert(1)>").as_deref(), Some("img srcx onerroralert1"));
        assert_eq!(shown("a\u{1b}[31mb\r\n\u{202e}c").as_deref(), Some("a31mbc"));
        assert_eq!(shown("\u{0}\n"), None);
        assert_eq!(shown(&"x".repeat(10_000)).map(|s| s.len()), Some(LENGTH_LIMIT));
    }
}
