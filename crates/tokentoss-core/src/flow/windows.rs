//! Which windows belong to a sign-in.

use alloc::vec::Vec;
use core::mem;

use super::WindowId;

/// The windows of one attempt: the popup, and one more for each time the link was followed.
#[derive(Debug, Default)]
pub(super) struct Windows {
    known: Vec<WindowId>,
    expected: u32,
}

impl Windows {
    /// One more window may introduce itself.
    pub(super) fn expect_one(&mut self) {
        self.expected = self.expected.saturating_add(1);
    }

    /// Takes in a window that this page opened itself.
    pub(super) fn add(&mut self, window: WindowId) {
        self.known.push(window);
    }

    /// Takes in a window that introduces itself, if one is expected.
    pub(super) fn adopt(&mut self, window: WindowId) -> bool {
        let expected = self.expected > 0;
        if expected {
            self.expected -= 1;
            self.known.push(window);
        }
        expected
    }

    pub(super) fn knows(&self, window: WindowId) -> bool {
        self.known.contains(&window)
    }

    /// Ends the attempt: no window belongs to it any more.
    pub(super) fn take(&mut self) -> Vec<WindowId> {
        self.expected = 0;
        mem::take(&mut self.known)
    }
}
