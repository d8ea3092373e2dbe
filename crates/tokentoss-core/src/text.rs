//! Texts that arrived whole.

use alloc::string::String;
use core::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error};

/// A text that lost nothing on its way: a lone surrogate, which no UTF-8 can hold, becomes U+FFFD where JavaScript hands a
/// string over, and such a text is refused.
#[derive(Clone)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
pub struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(Error::custom("not a whole text"));
        }
        Ok(Self(text))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}
