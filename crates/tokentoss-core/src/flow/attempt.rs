//! What one attempt owns from the click until its authorization code is redeemed.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::context::Context;
use super::{Output, Phase, Problem, Status, WindowId};
use crate::authorization::AuthorizationRequest;
use crate::authorization_response::{self, Refusal, VerifiedCode};
use crate::error::{Culprit, Error, ErrorCode};
use crate::message::ToPopup;
use crate::paste;
use crate::sealing::{KeyPair, Purpose};
use crate::secret::Secret;
use crate::ticket::{ExchangePlace, Ticket};

/// One attempt's secrets, and what the view is to know of it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) request: AuthorizationRequest,
    pub(super) client_secret: Option<Secret>,
    keys: KeyPair,
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
            keys: KeyPair::generate(cx.rng)?,
            link: Link::StartPage,
            paste_problem: None,
        })
    }

    /// Answers a start page that has introduced itself.
    pub(super) fn answer_start_page(&self, window: WindowId, cx: &mut Context<'_>) {
        let start = ToPopup::Start {
            ticket: cx.ticket.id(),
            proof: cx.ticket.proof().expose(),
            url: self.request.url(),
            key: self.keys.public().to_base64url(),
        };
        cx.post(window, &start);
    }

    /// Opens the channel to a callback page of the own origin, which works where its opener is severed.
    pub(super) fn open_channel(&self, cx: &mut Context<'_>) {
        if cx.shared.way.broadcasts(cx.ticket) {
            let name = Secret::new(String::from_iter(["tokentoss/", self.request.state().expose()]));
            cx.shared.windows.open_channel();
            cx.output(Output::OpenChannel { name });
        }
    }

    /// Introduces this page to the kernel where no start page does it.
    pub(super) fn introduce_page(&self, cx: &mut Context<'_>) -> Result<(), Error> {
        let ticket = cx.ticket;
        let url = self.request.url().as_bytes();
        let sealed = ticket.kernel_key().seal(Purpose::PageIntroduction, ticket.binding(), url, cx.rng)?;
        cx.output(Output::IntroducePage {
            ticket: String::from(ticket.id()),
            proof: ticket.proof().clone(),
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

    /// Keeps the client secret; one that does not open was sealed for another page, and is ignored.
    pub(super) fn take_client_secret(&mut self, sealed: Option<&str>, ticket: &Ticket) {
        let open = |sealed| self.keys.open(Purpose::ClientSecret, ticket.binding(), sealed);
        if let Some(secret) = sealed.filter(|_| ticket.client_secret_sealed()).and_then(open).and_then(text) {
            self.client_secret = Some(secret);
        }
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
