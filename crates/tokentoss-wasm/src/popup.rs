//! The windows of a sign-in.

use gloo_timers::callback::Interval;
use js_sys::Object;
use tokentoss_core::flow::WindowId;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Window;

/// Room for Google's pages at their narrow layout, in CSS pixels.
const FEATURES: &str = "popup,width=500,height=640";
/// How often windows are asked whether they are closed, in milliseconds; no event tells.
const WATCH_INTERVAL: u32 = 500;

/// Opens a popup; `None` when the browser refuses. Must run in the click's call stack.
pub(crate) fn open(url: &str) -> Option<Window> {
    // No name: a second sign-in must not take over the first one's window.
    web_sys::window()?.open_with_url_and_target_and_features(url, "_blank", FEATURES).ok()?
}

/// Sends a window elsewhere; what it showed leaves no trace in its history.
pub(crate) fn navigate(window: &Window, url: &str) {
    // Cut off or closed: the user goes on by the link.
    let _ = window.location().replace(url);
}

/// Posts to a window, for one origin; a window that is gone takes no harm.
pub(crate) fn post(window: &Window, message: &str, target_origin: &str) {
    let _ = window.post_message(&JsValue::from_str(message), target_origin);
}

/// The windows that a flow knows by number.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    known: Vec<Known>,
    last_id: u32,
}

#[derive(Debug)]
struct Known {
    id: WindowId,
    window: Window,
    reported_closed: bool,
}

impl Windows {
    /// The number of the window that a message came from.
    pub(crate) fn of_source(&mut self, source: &Object) -> WindowId {
        // Unchecked, because a window of another origin answers no question about its class.
        let window: &Window = source.unchecked_ref();
        match self.known.iter().find(|known| known.window == *window) {
            Some(known) => known.id,
            None => self.add(window.clone()),
        }
    }

    /// A window by its number.
    pub(crate) fn get(&self, id: WindowId) -> Option<Window> {
        self.known.iter().find(|known| known.id == id).map(|known| known.window.clone())
    }

    /// Numbers a window.
    pub(crate) fn add(&mut self, window: Window) -> WindowId {
        self.last_id = self.last_id.wrapping_add(1);
        let id = WindowId(self.last_id);
        self.known.push(Known { id, window, reported_closed: false });
        id
    }

    /// The windows that were closed since this was last asked.
    pub(crate) fn newly_closed(&mut self) -> Vec<WindowId> {
        let mut closed = Vec::new();
        for known in &mut self.known {
            if !known.reported_closed && known.window.closed().unwrap_or(true) {
                known.reported_closed = true;
                closed.push(known.id);
            }
        }
        closed
    }

    /// Lets go of all windows; their numbers are not used again.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }
}

/// Calls back every now and then until dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    _interval: Interval,
}

impl Watch {
    pub(crate) fn new(on_tick: impl FnMut() + 'static) -> Self {
        Self { _interval: Interval::new(WATCH_INTERVAL, on_tick) }
    }
}
