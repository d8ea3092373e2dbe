//! JSON as the protocols here use it: objects whose members are taken one by one.
//!
//! One tree for everything that is read. A derived reader for every struct would be a third of the
//! WebAssembly, and would not wipe the texts that it passes over.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::mem;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use crate::secret::Secret;

/// Why a text is not the object that was expected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAsExpected {
    /// It is not JSON at all, or not whole.
    Syntax,
    /// It is JSON of another shape.
    Shape,
}

/// A JSON value.
#[derive(Debug)]
pub(crate) enum Json {
    Null,
    Bool,
    Number(f64),
    Text(Secret),
    List(Vec<Json>),
    Object(Object),
}

/// A JSON object. A member of another kind than it is taken as counts as absent, and [`Object::check`] tells of it: one check
/// behind all members is a fraction of the code of one behind each.
#[derive(Debug, Default)]
pub(crate) struct Object {
    members: Vec<(String, Json)>,
    spoilt: bool,
    repeated: bool,
}

impl Object {
    pub(crate) fn read(text: &str) -> Result<Self, NotAsExpected> {
        match serde_json::from_str(text) {
            Ok(Json::Object(object)) => Ok(object),
            Ok(_) => Err(NotAsExpected::Shape),
            Err(error) if error.classify() == Category::Data => Err(NotAsExpected::Shape),
            Err(_) => Err(NotAsExpected::Syntax),
        }
    }

    /// Takes a member out; `null` counts as absent, and a member given twice is nothing one can use.
    pub(crate) fn take(&mut self, name: &str) -> Option<Json> {
        let mut found = self.members.iter_mut().filter(|(given, _)| given == name);
        let value = found.next().map_or(Json::Null, |(_, value)| mem::replace(value, Json::Null));
        self.repeated |= found.next().is_some();
        (!matches!(value, Json::Null)).then_some(value)
    }

    pub(crate) fn secret(&mut self, name: &str) -> Option<Secret> {
        match self.take(name)? {
            Json::Text(text) => Some(text),
            _ => self.spoil(),
        }
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.secret(name).map(|text| text.expose().into())
    }

    /// A text that must be there.
    pub(crate) fn required_text(&mut self, name: &str) -> String {
        self.text(name).or_else(|| self.spoil()).unwrap_or_default()
    }

    /// Whether everything that was taken was of the kind that was expected, and stood there once.
    pub(crate) fn check(&self) -> Result<(), NotAsExpected> {
        if self.spoilt || self.repeated { Err(NotAsExpected::Shape) } else { Ok(()) }
    }

    /// Whether something that was taken stood there twice (RFC 6749 section 5.1: parameters must not).
    pub(crate) fn repeats(&self) -> bool {
        self.repeated
    }

    fn spoil<T>(&mut self) -> Option<T> {
        self.spoilt = true;
        None
    }

    /// Whether it has a member of this name, be it `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(given, _)| given == name)
    }

    /// Whether it has no other members than these.
    pub(crate) fn has_only(&self, names: &[&str]) -> bool {
        self.members.iter().all(|(name, _)| names.contains(&name.as_str()))
    }
}

impl Json {
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.expose()),
            _ => None,
        }
    }

    /// A number of seconds, whole or not; never a text (RFC 7519 section 2).
    pub(crate) fn as_seconds(&self) -> Option<u64> {
        match self {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "never negative, and the cast saturates"
            )]
            Self::Number(seconds) => (0.0..1e20).contains(seconds).then_some(*seconds as u64),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Bool)
    }

    #[expect(clippy::cast_precision_loss, reason = "what is counted here stays far below 2^53")]
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "what is counted here stays far below 2^53")]
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(Secret::new(String::from(value))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        // Names are read as values, which saves a second reader; in JSON they are always texts.
        while let Some(name) = members.next_key::<Json>()? {
            object.push((String::from(name.as_text().unwrap_or_default()), members.next_value()?));
        }
        Ok(Json::Object(Object { members: object, ..Object::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c45_only_whole_objects_are_read() {
        for text in ["", "{", "{\"a\":1", "{} {}", "<html>", "{\"a\":1,}"] {
            assert_eq!(Object::read(text).err(), Some(NotAsExpected::Syntax), "{text}");
        }
        for text in ["[]", "[[\"a\",1]]", "1", "null", "\"{}\""] {
            assert_eq!(Object::read(text).err(), Some(NotAsExpected::Shape), "{text}");
        }
    }

    #[test]
    fn members_are_taken_by_kind() {
        let mut object =
            Object::read(r#"{"t":"x","n":null,"b":true,"l":["y"],"o":{"k":"v"},"s":1.9}"#).unwrap();
        assert!(object.has_only(&["t", "n", "b", "l", "o", "s"]) && !object.has_only(&["t"]));
        assert_eq!(object.text("t"), Some("x".into()));
        assert_eq!(object.text("n"), None);
        assert_eq!(object.take("s").unwrap().as_seconds(), Some(1));
        assert_eq!(object.text("missing"), None);
        assert_eq!(object.check(), Ok(()));
    }

    #[test]
    fn wrong_kinds_and_twice_given_members_are_refused() {
        type Take = fn(&mut Object);
        let takes: [Take; 4] = [
            |object| assert_eq!(object.text("n"), None),
            |object| assert!(object.take("a").is_some()),
            |object| assert!(object.secret("o").is_none()),
            |object| assert_eq!(object.required_text("missing"), ""),
        ];
        for take in takes {
            let mut object = Object::read(r#"{"n":1,"a":"x","a":"y","l":[1],"o":{"k":1}}"#).unwrap();
            take(&mut object);
            assert_eq!(object.check(), Err(NotAsExpected::Shape));
            assert_eq!(object.text("n"), None, "what was taken is gone");
        }
    }
}
