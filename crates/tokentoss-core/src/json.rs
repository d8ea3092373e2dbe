//! JSON objects, and nothing else that serde would take for one.

use serde::Deserialize;
use serde_json::error::Category;

/// Why a text is not the object that was expected.
pub(crate) enum NotAnObject {
    /// It is not JSON at all, or not whole.
    Syntax,
    /// It is JSON of another shape.
    Shape,
}

/// Reads an object. Serde reads a struct from an array as well, which no protocol here means.
pub(crate) fn read_object<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, NotAnObject> {
    let value = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => NotAnObject::Shape,
        Category::Io | Category::Syntax | Category::Eof => NotAnObject::Syntax,
    })?;
    text.trim_ascii_start().starts_with('{').then_some(value).ok_or(NotAnObject::Shape)
}
