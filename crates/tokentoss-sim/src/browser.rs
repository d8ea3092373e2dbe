//! The simulated browser: windows and where they are.

use tokentoss_core::flow::WindowId;

/// What a window shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The listener's start page, with what its fragment says.
    StartPage(String),
    /// The provider's pages.
    Provider,
    /// The listener's callback page, for this query.
    CallbackPage(String),
    /// A static callback page, for this query.
    StaticPage(String),
    /// The browser's own error page, or a listener's refusal.
    ErrorPage,
    /// Nothing any more.
    Closed,
}

/// One window.
#[derive(Clone, Debug)]
pub struct Window {
    /// Its identity.
    pub id: WindowId,
    /// What it shows.
    pub place: Place,
}

/// All windows, and what the browser lets a page do.
#[derive(Debug, Default)]
pub struct Browser {
    /// Whether it refuses to open popups.
    pub blocks_popups: bool,
    /// Whether the provider's pages sever the popup from its opener.
    pub severs_openers: bool,
    /// Whether the notebook page's own policy severs every popup from it, from the first page on.
    pub severs_popups: bool,
    /// Whether the page listens for messages.
    pub listening: bool,
    /// The name of the broadcast channel that the page has open.
    pub channel: Option<String>,
    /// What was posted on it.
    pub broadcasts: Vec<String>,
    /// What stands in the address bar of the window that the provider sent back last.
    pub address: String,
    /// The start page that asks the user: its window, the page's origin, what that page said, and the token of the question.
    pub confirming: Option<(WindowId, String, serde_json::Value, String)>,
    /// How many messages start pages did not take.
    pub ignored_starts: u32,
    /// Every window that was opened, in order.
    pub windows: Vec<Window>,
}

impl Browser {
    /// Opens a window at a place.
    pub fn open(&mut self, place: Place) -> WindowId {
        let id = WindowId(u32::try_from(self.windows.len()).expect("few windows") + 1);
        self.windows.push(Window { id, place });
        id
    }

    /// What a window shows.
    pub fn place(&mut self, id: WindowId) -> &mut Place {
        let found = self.windows.iter_mut().find(|window| window.id == id);
        &mut found.expect("a window that was opened").place
    }

    /// Whether a popup at the provider, or behind it, has lost its opener.
    pub fn severs(&self) -> bool {
        self.severs_openers || self.severs_popups
    }

    /// How many windows are open.
    pub fn open_windows(&self) -> usize {
        self.windows.iter().filter(|window| window.place != Place::Closed).count()
    }
}
