//! The value of the trait `ticket`, from the page's object to a checked ticket.

use tokentoss_core::{Error, Ticket};
use wasm_bindgen::JsValue;

/// Reads and checks a ticket for a page of this origin.
///
/// # Errors
/// `ticket_invalid`, and what [`Ticket::check`] refuses.
pub(crate) fn read(value: &JsValue, page_origin: &str) -> Result<Ticket, Error> {
    let data = serde_wasm_bindgen::from_value(value.clone()).map_err(|_| Ticket::malformed())?;
    Ticket::check(data, page_origin)
}
