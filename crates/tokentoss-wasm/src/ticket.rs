//! The value of the trait `ticket`, from the page's object to a checked ticket.

use js_sys::{JsString, Object, Reflect};
use tokentoss_core::{Error, Ticket};
use wasm_bindgen::{JsCast, JsValue};

/// The members that hold an object whose members are read by their names.
const NESTED: &str = "provider";

/// Reads and checks a ticket for a page of this origin.
///
/// # Errors
/// `ticket_invalid`, and what [`Ticket::check`] refuses.
pub(crate) fn read(value: &JsValue, page_origin: &str) -> Result<Ticket, Error> {
    let ticket = own_members(value);
    let name = JsString::from(NESTED);
    // Neither fails on an object that has no prototype and no accessors.
    let nested = Reflect::get(&ticket, &name).unwrap_or_default();
    let _ = Reflect::set(&ticket, &name, &own_members(&nested));
    let data = serde_wasm_bindgen::from_value(ticket).map_err(|_| Ticket::malformed())?;
    Ticket::check(data, page_origin)
}

/// A copy without a prototype: the reader would take what a script put there for a member that is missing.
fn own_members(value: &JsValue) -> JsValue {
    let members = Object::create(JsValue::NULL.unchecked_ref::<Object>());
    Object::assign(&members, value.unchecked_ref()).into()
}
