//! Which windows belong to a sign-in, and whether there is a channel to those that were cut off.

use alloc::vec::Vec;
use core::mem;

use super::WindowId;

/// The most windows that one attempt has.
const LIMIT: usize = 16;

/// The windows of one attempt: the popup, and those that the user opened by the link.
#[derive(Debug, Default)]
pub(super) struct Windows {
    known: Vec<WindowId>,
    /// Those that this page opened itself.
    opened: Vec<WindowId>,
    expects_more: bool,
    channel: bool,
}

impl Windows {
    /// The link was followed: windows may introduce themselves. Not only one, because the start page of another widget on this
    /// page, or a second try of the user, may come first.
    pub(super) fn expect_more(&mut self) {
        self.expects_more = true;
    }

    /// Whether a window may still introduce itself.
    pub(super) fn expects_more(&self) -> bool {
        self.expects_more && self.known.len() < LIMIT
    }

    /// Takes in a window that this page opened.
    pub(super) fn add_opened(&mut self, window: WindowId) {
        self.add(window);
        self.opened.push(window);
    }

    /// Whether this page opened the window itself.
    pub(super) fn opened(&self, window: WindowId) -> bool {
        self.opened.contains(&window)
    }

    /// Takes in a window that has shown itself to be one of them.
    pub(super) fn add(&mut self, window: WindowId) {
        if !self.knows(window) {
            self.known.push(window);
        }
    }

    /// Takes in a window that introduces itself, if one is expected.
    pub(super) fn adopt(&mut self, window: WindowId) -> bool {
        let expected = self.expects_more();
        if expected {
            self.known.push(window);
        }
        expected
    }

    pub(super) fn knows(&self, window: WindowId) -> bool {
        self.known.contains(&window)
    }

    /// All of them.
    pub(super) fn known(&self) -> Vec<WindowId> {
        self.known.clone()
    }

    /// A channel is opened.
    pub(super) fn open_channel(&mut self) {
        self.channel = true;
    }

    /// Whether there was a channel, which is closed now.
    pub(super) fn close_channel(&mut self) -> bool {
        mem::take(&mut self.channel)
    }

    /// Ends the attempt: no window belongs to it any more.
    pub(super) fn take(&mut self) -> Vec<WindowId> {
        self.expects_more = false;
        self.opened.clear();
        mem::take(&mut self.known)
    }
}
