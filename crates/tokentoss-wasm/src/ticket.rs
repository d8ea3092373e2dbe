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
    let ticket = own_members(value).and_then(|ticket| {
        let name = JsString::from(NESTED);
        Reflect::set(&ticket, &name, &own_members(&Reflect::get(&ticket, &name)?)?)?;
        Ok(ticket)
    });
    let data = ticket.and_then(|ticket| Ok(serde_wasm_bindgen::from_value(ticket)?));
    Ticket::check(data.map_err(|_| Ticket::malformed())?, page_origin)
}

/// A copy without a prototype: the reader would take what a script put there for a member that is missing.
fn own_members(value: &JsValue) -> Result<JsValue, JsValue> {
    let members = Object::create(JsValue::NULL.unchecked_ref::<Object>());
    for member in Object::entries(value.dyn_ref().ok_or(JsValue::NULL)?).iter() {
        let member = js_sys::Array::from(&member);
        Reflect::set(&members, &member.get(0), &member.get(1))?;
    }
    Ok(members.into())
}
