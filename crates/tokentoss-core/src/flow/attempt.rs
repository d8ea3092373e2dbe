//! What one attempt owns from the click until its authorization code is redeemed.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use zeroize::Zeroizing;

use super::context::Context;
use super::{Output, Phase, Problem, Status, WindowId};
use crate::authorization::AuthorizationRequest;
use crate::authorization_response::{self, Refusal, VerifiedCode};
use crate::error::{Culprit, Error, ErrorCode};
use crate::message::{Start, ToPopup};
use crate::paste;
use crate::registration::{AnswerKey, Registration};
use crate::sealing::{KeyPair, Purpose};
use crate::secret::Secret;
use crate::ticket::{ExchangePlace, Ticket};

/// One attempt's secrets, and what the view is to know of it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) request: AuthorizationRequest,
    pub(super) client_secret: Option<Secret>,
    /// What the kernel gave this attempt when it registered it.
    pub(super) proof: Option<Secret>,
    /// The request of the way that was left, where a popup out of this page's reach may still follow it.
    superseded: Option<AuthorizationRequest>,
    keys: KeyPair,
    answer_key: AnswerKey,
    link: Link,
    paste_problem: Option<Error>,
}

/// Where the link leads that the user can open by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// To the start page, where the way has one.
    StartPage,
    /// To the provider at once: no page can answer a start page where the link is opened.
    Provider,
}

impl Attempt {
    pub(super) fn new(cx: &mut Context<'_>) -> Result<Self, Error> {
        Ok(Self {
            request: cx.authorization_request()?,
            client_secret: None,
            proof: None,
            superseded: None,
            keys: KeyPair::generate(cx.rng)?,
            answer_key: AnswerKey::generate(cx.rng)?,
            link: Link::StartPage,
            paste_problem: None,
        })
    }

    /// Answers a start page that has introduced itself.
    pub(super) fn answer_start_page(&self, window: WindowId, cx: &mut Context<'_>) -> Result<(), Error> {
        let ticket = cx.ticket;
        let (key, answer_key) = (self.keys.public().to_base64url(), self.answer_key.to_base64url());
        let start = Start {
            url: self.request.url(),
            key: &key,
            proof: cx.shared.introduction.proof().map(Secret::expose),
            answer_key: answer_key.expose(),
        };
        let plaintext = start.write()?;
        let sealed = ticket.kernel_key().seal(Purpose::Start, ticket.binding(), &plaintext, cx.rng)?;
        cx.post(window, &ToPopup::Start { ticket: ticket.id(), key, sealed });
        Ok(())
    }

    /// Opens the channel to a callback page of the own origin, which works where its opener is severed.
    pub(super) fn open_channel(&self, cx: &mut Context<'_>) {
        if cx.shared.way.broadcasts(cx.ticket) {
            let name = Secret::new(String::from_iter(["tokentoss/", self.request.state().expose()]));
            cx.shared.windows.open_channel();
            cx.output(Output::OpenChannel { name });
        }
    }

    /// Registers this attempt with the kernel where no start page does it.
    pub(super) fn register(&self, cx: &mut Context<'_>) -> Result<(), Error> {
        let ticket = cx.ticket;
        let url = self.request.url().as_bytes();
        let sealed = ticket.kernel_key().seal(Purpose::Registration, ticket.binding(), url, cx.rng)?;
        cx.output(Output::Register {
            ticket: String::from(ticket.id()),
            sealed,
            key: self.keys.public().to_base64url(),
        });
        Ok(())
    }

    /// The start page of this attempt, where the way has one.
    pub(super) fn start_url(&self, cx: &Context<'_>) -> Option<String> {
        cx.shared.way.start_url(cx.ticket, self.keys.public())
    }

    /// Waiting for the user, who can open the link by hand or paste the address.
    pub(super) fn waiting(&self, cx: &Context<'_>) -> Status {
        let start = self.start_url(cx).filter(|_| self.link == Link::StartPage);
        Status {
            way: Some(cx.shared.way),
            link: Some(start.unwrap_or_else(|| String::from(self.request.url()))),
            paste_problem: self.paste_problem.clone(),
            ..Status::phase(Phase::Waiting)
        }
    }

    /// Still waiting, though something looks wrong.
    pub(super) fn doubtful(&self, code: ErrorCode, cx: &Context<'_>) -> Status {
        Status { problem: Some(Problem::Page(code.into())), ..self.waiting(cx) }
    }

    /// The popup did not open; the link and the paste still work.
    pub(super) fn blocked(&self, cx: &Context<'_>) -> Status {
        Status { phase: Phase::Failed, ..self.doubtful(ErrorCode::PopupBlocked, cx) }
    }

    /// The link is opened where no start page is answered, so that it must lead to the provider.
    pub(super) fn link_to_provider(&mut self) {
        self.link = Link::Provider;
    }

    /// Takes the answer that a start page brought; false for one that is not the kernel's.
    pub(super) fn take_answer(&mut self, answer: &str, ticket: &Ticket) -> bool {
        let opened = self.answer_key.open(ticket.id(), self.keys.public(), answer);
        self.take_registration(opened, ticket)
    }

    /// Takes the answer that came over the comm; false for one to another page or attempt.
    pub(super) fn take_registered(&mut self, key: &str, sealed: &str, ticket: &Ticket) -> bool {
        let own = key == self.keys.public().to_base64url();
        let open = || self.keys.open(Purpose::Registered, ticket.binding(), sealed);
        let opened = if own { open() } else { None };
        self.take_registration(opened, ticket)
    }

    fn take_registration(&mut self, opened: Option<Zeroizing<Vec<u8>>>, ticket: &Ticket) -> bool {
        let Some(registration) = opened.and_then(|text| Registration::read(&text)) else { return false };
        self.proof = Some(registration.proof);
        // A secret that the ticket does not offer is not used.
        let offered = ticket.client_secret_sealed() && ticket.exchange() != ExchangePlace::Kernel;
        if let Some(secret) = registration.client_secret.filter(|_| offered) {
            self.client_secret = Some(secret);
        }
        true
    }

    /// Whether the client secret, if one is needed, is there.
    pub(super) fn can_authenticate(&self, ticket: &Ticket) -> bool {
        self.client_secret.is_some() || !ticket.client_secret_sealed()
    }

    /// Ends an attempt for which the page must, but cannot, exchange the authorization code.
    pub(super) fn check_client_secret(&self, ticket: &Ticket) -> Result<(), Error> {
        if ticket.exchange() == ExchangePlace::Browser && !self.can_authenticate(ticket) {
            return Err(ErrorCode::RegistrationRefused.into());
        }
        Ok(())
    }

    /// The query of a callback that the kernel relayed, if it was sealed to this attempt.
    pub(super) fn open_relayed(&self, sealed: &str, ticket: &Ticket) -> Option<Secret> {
        self.keys.open(Purpose::Callback, ticket.binding(), sealed).and_then(text)
    }

    /// Takes a fresh request for another way. A popup that this page cannot send there may follow the earlier one: the kernel
    /// may have told its start page before it heard of the fresh one.
    pub(super) fn replace_request(&mut self, fresh: AuthorizationRequest, popup_in_reach: bool) {
        let earlier = mem::replace(&mut self.request, fresh);
        self.superseded = if popup_in_reach { None } else { Some(earlier) };
    }

    /// Checks an answer that the kernel relayed, which may be one to the request of the way that was left.
    pub(super) fn verify_relayed(&mut self, query: &str, ticket: &Ticket) -> Result<VerifiedCode, Refusal> {
        let refusal = match self.verify(query, ticket) {
            Err(Refusal::Dropped(error)) if error.code() == ErrorCode::StateMismatch => {
                Refusal::Dropped(error)
            }
            verified => return verified,
        };
        let Some(earlier) = self.superseded.take() else { return Err(refusal) };
        match authorization_response::verify(query, earlier.state(), ticket.provider()) {
            Err(Refusal::Dropped(error)) => {
                self.superseded = Some(earlier);
                Err(Refusal::Dropped(error))
            }
            verified => {
                self.request = earlier;
                verified
            }
        }
    }

    /// Checks the query of an authorization response, whichever way it came.
    pub(super) fn verify(&self, query: &str, ticket: &Ticket) -> Result<VerifiedCode, Refusal> {
        authorization_response::verify(query, self.request.state(), ticket.provider())
    }

    /// Reads what the user pasted. Only the provider's own refusal ends the attempt.
    pub(super) fn read_paste(&self, pasted: &Secret, ticket: &Ticket) -> Result<VerifiedCode, Refusal> {
        let query =
            paste::query_of(pasted.expose(), self.request.redirect_uri()).map_err(Refusal::Dropped)?;
        self.verify(query, ticket).map_err(|refusal| match refusal {
            Refusal::Ended(error) if error.code().culprit() != Culprit::ProviderRefused => {
                Refusal::Dropped(error)
            }
            refusal => refusal,
        })
    }

    /// Shows what is wrong with a pasted address, beside the field.
    pub(super) fn show_paste_problem(&mut self, problem: Error, cx: &mut Context<'_>) {
        self.paste_problem = Some(problem.clone());
        let shown = Status { paste_problem: Some(problem), ..cx.shared.status.clone() };
        cx.show(shown);
    }
}

/// Opened bytes as text.
fn text(bytes: Zeroizing<Vec<u8>>) -> Option<Secret> {
    core::str::from_utf8(&bytes).ok().map(|text| Secret::new(String::from(text)))
}
