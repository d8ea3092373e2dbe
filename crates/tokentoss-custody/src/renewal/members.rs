//! A JSON object whose members may stand there twice, which a map would hide.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The members, in their order.
pub(super) struct Members(Vec<(String, Value)>);

impl Members {
    /// Reads an object; none for anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// A member; none where it stands there twice.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let mut found = self.0.iter().filter(|(given, _)| given == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// Whether one of these stands there twice.
    pub(super) fn repeat_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.iter().filter(|(given, _)| given == name).count() > 1)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}
