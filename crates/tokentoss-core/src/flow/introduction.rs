//! The page makes itself known to the kernel before any click, so that the listener knows it by a proof.
//!
//! Nothing waits for the answer: without one, the listener knows the page by its origin, or asks the user.

use alloc::string::String;
use core::time::Duration;

use super::Output;
use crate::entropy::Entropy;
use crate::error::Error;
use crate::registration::introduction_proof;
use crate::sealing::{KeyPair, Purpose};
use crate::secret::Secret;
use crate::ticket::Ticket;
use crate::timestamp::Timestamp;

/// How long each introduction waits for its answer before the next one.
const WAITS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(8), Duration::from_secs(30)];

/// The introduction of one page to one kernel.
#[derive(Debug, Default)]
pub(super) struct Introduction {
    keys: Option<KeyPair>,
    proof: Option<Secret>,
    ask_at: Option<Timestamp>,
    /// How often it was asked since the connection was last made.
    asked: usize,
}

impl Introduction {
    /// The connection to the kernel was made, or made again.
    pub(super) fn connected(&mut self, ticket: &Ticket, now: Timestamp) {
        if ticket.start_page_of_use() && self.proof.is_none() {
            self.asked = 0;
            self.ask_at = Some(now);
        }
    }

    /// When the page introduces itself next.
    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        self.ask_at
    }

    /// Asks the kernel, if that is due.
    pub(super) fn ask(
        &mut self,
        ticket: &Ticket,
        now: Timestamp,
        rng: &mut dyn Entropy,
    ) -> Result<Option<Output>, Error> {
        if self.ask_at.is_none_or(|due| now < due) {
            return Ok(None);
        }
        self.ask_at = WAITS.get(self.asked).map(|wait| now + *wait);
        self.asked = self.asked.saturating_add(1);
        let keys = match self.keys.take() {
            Some(keys) => keys,
            None => KeyPair::generate(rng)?,
        };
        let key = keys.public().to_base64url();
        self.keys = Some(keys);
        let origin = String::from(ticket.page_origin());
        Ok(Some(Output::Introduce { ticket: String::from(ticket.id()), key, origin }))
    }

    /// Takes the kernel's answer; one to another page, or one that does not open, is ignored.
    pub(super) fn take(&mut self, key: &str, sealed: &str, ticket: &Ticket) {
        let own = self.keys.as_ref().filter(|keys| keys.public().to_base64url() == key);
        let opened = own.and_then(|keys| keys.open(Purpose::Introduced, ticket.binding(), sealed));
        if let Some(proof) = opened.and_then(|text| introduction_proof(&text)) {
            self.proof = Some(proof);
            self.ask_at = None;
        }
    }

    /// What the kernel gave this page, if it answered.
    pub(super) fn proof(&self) -> Option<&Secret> {
        self.proof.as_ref()
    }

    /// The ticket is decided on: nothing more is asked.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// The clock was put back.
    pub(super) fn put_back(&mut self, from: Timestamp, to: Timestamp) {
        self.ask_at = self.ask_at.map(|due| due.put_back(from, to));
    }
}
