//! `message` events, of the notebook page and of a broadcast channel.

use gloo_events::EventListener;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

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

/// A broadcast channel, open until dropped.
#[derive(Debug)]
pub(crate) struct Channel {
    channel: BroadcastChannel,
    _listener: EventListener,
}

impl Channel {
    /// `None` where the browser has none.
    pub(crate) fn open(name: &str, mut on_message: impl FnMut(&MessageEvent) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(name).ok()?;
        let listener =
            EventListener::new(&channel, "message", move |event| on_message(event.unchecked_ref()));
        Some(Self { channel, _listener: listener })
    }

    pub(crate) fn post(&self, message: &str) {
        let _ = self.channel.post_message(&JsValue::from_str(message));
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.close();
    }
}
