//! Which windows belong to a sign-in, and whether there is a channel to those that were cut off.

use alloc::vec::Vec;
use core::mem;

use super::WindowId;

/// The windows of one attempt: the popup, and one more for each time the link was followed.
#[derive(Debug, Default)]
pub(super) struct Windows {
    known: Vec<WindowId>,
    expected: u32,
    channel: bool,
}

impl Windows {
    /// One more window may introduce itself.
    pub(super) fn expect_one(&mut self) {
        self.expected = self.expected.saturating_add(1);
    }

    /// Whether a window may still introduce itself.
    pub(super) fn expects_one(&self) -> bool {
        self.expected > 0
    }

    /// Takes in a window that this page opened, or that has shown itself to be one of them.
    pub(super) fn add(&mut self, window: WindowId) {
        if !self.knows(window) {
            self.known.push(window);
        }
    }

    /// Takes in a window that introduces itself, if one is expected.
    pub(super) fn adopt(&mut self, window: WindowId) -> bool {
        let expected = self.expects_one();
        if expected {
            self.expected -= 1;
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
        self.expected = 0;
        mem::take(&mut self.known)
    }
}
