//! What a page in the popup says to the notebook page.

use serde_json::Value;
use tokentoss_core::message::FromPopup;

use crate::Outcome;
use crate::redaction::assert_hidden;

/// C17: a message that is understood has exactly its members, each a text of its own.
///
/// # Panics
/// When that does not hold.
pub fn message(input: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(input) else { return Err(None) };
    let Some(message) = FromPopup::read(text) else { return Err(None) };
    let tree: Value = serde_json::from_str(text).expect("JSON");
    let members = tree.as_object().expect("an object");
    let own = |name: &str| -> Option<&str> {
        assert!(members.keys().all(|given| given == "type" || given == name), "another member: {text}");
        tree[name].as_str()
    };
    let shown = format!("{message:?}");
    let (kind, nothing_lost) = match &message {
        FromPopup::Ready {} => ("ready", members.len() <= 1),
        FromPopup::Confirming {} => ("confirming", members.len() <= 1),
        FromPopup::Registered { answer } => ("registered", Some(answer.as_str()) == own("answer")),
        FromPopup::Refused { code } => ("refused", Some(code.as_str()) == own("code")),
        FromPopup::Callback { query } => {
            assert_hidden(&shown, query.expose(), text);
            ("callback", Some(query.expose()) == own("query"))
        }
        FromPopup::Delivered { code } => ("delivered", Some(code.as_str()) == own("code")),
    };
    assert_eq!(tree["type"], kind);
    assert!(nothing_lost, "{message:?} is not {text}");
    Ok(())
}
