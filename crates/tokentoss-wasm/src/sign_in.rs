//! The class that the page sees.

use std::rc::Rc;

use js_sys::{Function, JsString, Reflect};
use tokentoss_core::flow::{Flow, Input, KernelRefusal, ShownCode};
use tokentoss_core::{Error, ErrorCode};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};

use crate::driver::Driver;
use crate::ticket;

/// The sign-in of one ticket.
///
/// Every method returns at once; what comes of it is told by events. `free()` ends the sign-in and lets go of its
/// windows, listeners, timers and request.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SignIn {
    driver: Rc<Driver>,
}

#[wasm_bindgen]
impl SignIn {
    /// Takes the value of the trait `ticket` and a function for the events; the first one is sent from here.
    ///
    /// # Errors
    /// Throws an `Error` with a stable `code` when the ticket is not usable.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "TicketData")] ticket: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "(event: FlowEvent) => void")] on_event: Function,
    ) -> Result<Self, JsValue> {
        // The origin that messages carry: "null" in a frame that has none, whatever its address.
        let origin = web_sys::window().map(|page| page.origin()).unwrap_or_default();
        let ticket = ticket::read(ticket, &origin).map_err(|error| thrown(&error))?;
        let driver = Driver::new(Flow::new(ticket), on_event);
        driver.run();
        Ok(Self { driver })
    }

    /// The click on the button; the popup opens before this returns.
    #[wasm_bindgen(js_name = signIn)]
    pub fn sign_in(&self) {
        self.driver.feed(Input::SignIn);
    }

    /// The user wants a code to enter on any device; the status holds it as soon as it is there.
    #[wasm_bindgen(js_name = askForCode)]
    pub fn ask_for_code(&self) {
        self.driver.feed(Input::AskForCode);
    }

    /// The user copies the link, to open it in another browser; the status told meanwhile holds what to copy.
    #[wasm_bindgen(js_name = linkCopied)]
    pub fn link_copied(&self) {
        self.driver.feed(Input::LinkCopied);
    }

    /// The user pasted an address; the status says what is wrong with it.
    pub fn paste(&self, text: String) {
        self.driver.feed(Input::Pasted { text: text.into() });
    }

    /// The connection to the kernel was made, or made again: the page introduces itself.
    pub fn connected(&self) {
        self.driver.feed(Input::Connected);
    }

    /// The kernel's message `introduced`.
    pub fn introduced(&self, key: String, sealed: String) {
        self.driver.feed(Input::Introduced { key, sealed });
    }

    /// The kernel's message `registered`.
    pub fn registered(&self, key: String, sealed: String) {
        self.driver.feed(Input::Registered { key, sealed });
    }

    /// The click on the link that opens the sign-in page by hand: one more window may introduce itself.
    #[wasm_bindgen(js_name = linkFollowed)]
    pub fn link_followed(&self) {
        self.driver.feed(Input::LinkFollowed);
    }

    /// The user gave up.
    pub fn cancel(&self) {
        self.driver.feed(Input::Cancel);
    }

    /// The kernel's message `relay`: a callback sealed to this page.
    pub fn relay(&self, sealed: String) {
        self.driver.feed(Input::Relayed { sealed });
    }

    /// The kernel decided on a ticket's envelope: `code` is empty when it took the tokens, else `message` says why not.
    pub fn acknowledge(
        &self,
        #[wasm_bindgen(js_name = ticketId)] ticket_id: String,
        code: String,
        message: String,
    ) {
        let refusal = (!code.is_empty()).then_some(KernelRefusal { code, message });
        self.driver.feed(Input::Acknowledged { ticket_id, refusal });
    }

    /// The kernel shows a user code that it asked for; `expires_at` in Unix seconds.
    #[wasm_bindgen(js_name = kernelCodeShown)]
    pub fn kernel_code_shown(
        &self,
        #[wasm_bindgen(js_name = userCode)] user_code: String,
        #[wasm_bindgen(js_name = verificationUri)] verification_uri: String,
        page: String,
        #[wasm_bindgen(js_name = expiresAt)] expires_at: f64,
    ) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a moment in whole seconds; what is none becomes 0 or the largest"
        )]
        let expires_at = expires_at as u64;
        self.driver.feed(Input::KernelCodeShown {
            code: ShownCode { user_code, verification_uri, page, expires_at },
        });
    }

    /// The kernel could not get a user code, or its sign-in by code failed.
    #[wasm_bindgen(js_name = kernelCodeFailed)]
    pub fn kernel_code_failed(&self, code: String, message: String) {
        self.driver.feed(Input::KernelCodeFailed { refusal: KernelRefusal { code, message } });
    }

    /// The kernel shows no user code any more.
    #[wasm_bindgen(js_name = kernelCodeEnded)]
    pub fn kernel_code_ended(&self) {
        self.driver.feed(Input::KernelCodeEnded);
    }

    /// The kernel died, restarted or forgot the widget.
    #[wasm_bindgen(js_name = kernelLost)]
    pub fn kernel_lost(&self) {
        self.driver.feed(Input::KernelLost);
    }
}

/// A core error as a JavaScript `Error` with its code.
fn thrown(error: &Error) -> JsValue {
    let thrown = JsValue::from(JsError::new(&error.message()));
    let code: ErrorCode = error.code();
    // Only fails on objects that refuse properties, which a fresh `Error` does not.
    let _ = Reflect::set(&thrown, &JsString::from("code"), &JsString::from(code.as_str()));
    thrown
}
