//! `message` events of the notebook page.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::MessageEvent;

/// Listens until dropped.
#[derive(Debug)]
pub(crate) struct Messages {
    _listener: EventListener,
}

impl Messages {
    /// `None` outside a page.
    pub(crate) fn listen(mut on_message: impl FnMut(&MessageEvent) + 'static) -> Option<Self> {
        let page = web_sys::window()?;
        let listener = EventListener::new(&page, "message", move |event| on_message(event.unchecked_ref()));
        Some(Self { _listener: listener })
    }
}
