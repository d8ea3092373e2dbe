//! What the states of a flow share, and what they may do besides changing themselves.

use alloc::collections::VecDeque;
use alloc::string::String;
use core::mem;

use super::introduction::Introduction;
use super::windows::Windows;
use super::{Output, Phase, RequestId, Status, Way, WindowId};
use crate::authorization::AuthorizationRequest;
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::form_request::FormRequest;
use crate::message::ToPopup;
use crate::ticket::{ExchangePlace, Ticket};
use crate::timestamp::Timestamp;
use crate::token_endpoint;

/// What outlives a state.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) way: Way,
    pub(super) windows: Windows,
    pub(super) introduction: Introduction,
    /// Whether what answers on the listener's port may be the kernel's listener, as far as is known.
    pub(super) listener_trusted: bool,
    pub(super) outputs: VecDeque<Output>,
    pub(super) status: Status,
    /// Whether this page may read the token endpoint's answers, once that is known.
    pub(super) cors: Option<bool>,
    probed: bool,
    requests: u32,
}

impl Shared {
    pub(super) fn new(ticket: &Ticket) -> Self {
        let status = Status::phase(Phase::Ready);
        Self {
            way: Way::first(ticket),
            windows: Windows::default(),
            introduction: Introduction::default(),
            listener_trusted: true,
            outputs: VecDeque::from([Output::Status(status.clone())]),
            status,
            cors: ticket.provider().token_endpoint_cors(),
            probed: false,
            requests: 0,
        }
    }
}

/// What a state may use while it handles one input.
pub(super) struct Context<'a> {
    pub(super) ticket: &'a Ticket,
    pub(super) shared: &'a mut Shared,
    pub(super) now: Timestamp,
    pub(super) rng: &'a mut dyn Entropy,
}

impl Context<'_> {
    /// A fresh request for the way that is being tried.
    pub(super) fn authorization_request(&mut self) -> Result<AuthorizationRequest, Error> {
        let redirect_uri = self.shared.way.redirect_uri(self.ticket).ok_or(ErrorCode::TicketInvalid)?;
        AuthorizationRequest::new(self.ticket, redirect_uri, self.rng)
    }

    /// The best way that is left.
    pub(super) fn first_way(&self) -> Way {
        if self.shared.listener_trusted { Way::first(self.ticket) } else { Way::beside_loopback(self.ticket) }
    }

    /// Introduces this page to the kernel, if that is due. Without random numbers a click fails, too, and says so.
    pub(super) fn introduce(&mut self) {
        if let Ok(Some(output)) = self.shared.introduction.ask(self.ticket, self.now, self.rng) {
            self.output(output);
        }
    }

    pub(super) fn output(&mut self, output: Output) {
        self.shared.outputs.push_back(output);
    }

    /// Shows a status, if it is another one.
    pub(super) fn show(&mut self, status: Status) {
        if self.shared.status != status {
            self.shared.status = status.clone();
            self.output(Output::Status(status));
        }
    }

    /// Sends a form, once; its answer comes by the number.
    pub(super) fn send(&mut self, form: FormRequest) -> RequestId {
        self.shared.requests = self.shared.requests.wrapping_add(1);
        let request = RequestId(self.shared.requests);
        self.output(Output::Send { request, form });
        request
    }

    /// Posts a message to a window, for the one origin that may read it.
    pub(super) fn post(&mut self, window: WindowId, message: &ToPopup<'_>) {
        let target_origin = String::from(self.shared.way.origin(self.ticket));
        self.output(Output::Post { window, target_origin, message: message.write() });
    }

    /// Tells every page of this sign-in to close, and closes the windows.
    pub(super) fn dismiss_windows(&mut self) {
        for window in self.shared.windows.take() {
            self.post(window, &ToPopup::Done {});
            self.output(Output::CloseWindow { window });
        }
        if self.shared.windows.close_channel() {
            self.output(Output::Broadcast { message: ToPopup::Done {}.write() });
        }
        self.output(Output::StopListening);
    }

    /// Has the token endpoint asked while there is time, once a ticket, if nobody knows yet whether it answers pages.
    pub(super) fn probe_token_endpoint(&mut self) {
        let provider = self.ticket.provider();
        let unknown = self.shared.cors.is_none() && self.ticket.exchange() == ExchangePlace::Auto;
        if unknown && provider.openid_connect() && !mem::replace(&mut self.shared.probed, true) {
            self.output(Output::Probe { form: token_endpoint::probe(self.ticket) });
        }
    }
}
