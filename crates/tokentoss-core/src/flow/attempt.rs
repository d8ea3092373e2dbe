//! What one attempt owns from the click until its code is on its way to be exchanged.

use alloc::string::String;

use rand_core::TryCryptoRng;

use super::{
    Context, Exchanging, Halt, HandingOver, Output, Phase, Problem, Status, Step, Way, WindowId, text,
};
use crate::authorization::AuthorizationRequest;
use crate::callback::{self, Refusal, VerifiedCode};
use crate::envelope;
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
    pub(super) keys: KeyPair,
    client_secret: Option<Secret>,
    /// The link leads to the provider at once: no page can answer a start page where it is opened.
    link_taken_away: bool,
    paste_problem: Option<Error>,
}

impl Attempt {
    pub(super) fn new<R: TryCryptoRng + ?Sized>(context: &mut Context<'_, R>) -> Result<Self, Error> {
        Ok(Self {
            request: context.authorization_request()?,
            keys: KeyPair::generate(context.rng)?,
            client_secret: None,
            link_taken_away: false,
            paste_problem: None,
        })
    }

    /// Answers a start page that has introduced itself.
    pub(super) fn answer_start_page<R: ?Sized>(&self, window: WindowId, context: &mut Context<'_, R>) {
        let ticket = context.ticket;
        let start = ToPopup::Start {
            ticket: ticket.id(),
            proof: ticket.proof().expose(),
            url: self.request.url(),
            key: self.keys.public().to_base64url(),
        };
        context.post(window, &start);
    }

    /// Turns to a way that needs no start page: open windows go straight to the provider, and the kernel hears of the attempt
    /// from the page itself.
    pub(super) fn leave_loopback<R: TryCryptoRng + ?Sized>(
        &mut self,
        context: &mut Context<'_, R>,
    ) -> Result<(), Error> {
        *context.way = Way::beside_loopback(context.ticket);
        if *context.way == Way::CallbackPage {
            // All fresh: an answer to the address that was given up is none of this attempt's any more.
            self.request = context.authorization_request()?;
        }
        self.open_channel(context);
        for window in context.windows.known() {
            let url = String::from(self.request.url());
            context.outputs.push_back(Output::Navigate { window, url: url.into() });
        }
        self.register(context)
    }

    /// Opens the channel to a callback page of the own origin, which works where its opener is severed.
    pub(super) fn open_channel<R: ?Sized>(&self, context: &mut Context<'_, R>) {
        if context.way.broadcasts(context.ticket) {
            let name = Secret::new(String::from_iter(["tokentoss/", self.request.state().expose()]));
            context.windows.open_channel();
            context.outputs.push_back(Output::OpenChannel { name });
        }
    }

    /// Makes the attempt known to the kernel where no start page does it.
    pub(super) fn register<R: TryCryptoRng + ?Sized>(
        &self,
        context: &mut Context<'_, R>,
    ) -> Result<(), Error> {
        let ticket = context.ticket;
        let url = self.request.url().as_bytes();
        let sealed = ticket.kernel_key().seal(Purpose::Registration, ticket.binding(), url, context.rng)?;
        context.outputs.push_back(Output::Register {
            ticket: String::from(ticket.id()),
            proof: ticket.proof().clone(),
            sealed,
            key: self.keys.public().to_base64url(),
        });
        Ok(())
    }

    /// The start page of this attempt, where the way has one.
    pub(super) fn start_url<R: ?Sized>(&self, context: &Context<'_, R>) -> Option<String> {
        context.way.start_url(context.ticket, self.keys.public())
    }

    /// Waiting for the user, who can open the link by hand or paste the address.
    pub(super) fn waiting<R: ?Sized>(&self, context: &Context<'_, R>) -> Status {
        let start = self.start_url(context).filter(|_| !self.link_taken_away);
        Status {
            way: Some(*context.way),
            link: Some(start.unwrap_or_else(|| String::from(self.request.url()))),
            paste_problem: self.paste_problem.clone(),
            ..Status::phase(Phase::Waiting)
        }
    }

    /// Still waiting, though something looks wrong.
    pub(super) fn doubtful<R: ?Sized>(&self, code: ErrorCode, context: &Context<'_, R>) -> Status {
        Status { problem: Some(Problem::Page(code.into())), ..self.waiting(context) }
    }

    /// The popup did not open; the link and the paste still work.
    pub(super) fn blocked<R: ?Sized>(&self, context: &Context<'_, R>) -> Status {
        Status { phase: Phase::Failed, ..self.doubtful(ErrorCode::PopupBlocked, context) }
    }

    /// The link goes where no start page is answered, so that it must lead to the provider.
    pub(super) fn take_link_away(&mut self) {
        self.link_taken_away = true;
    }

    /// Keeps the client secret; whatever does not open is nobody's.
    pub(super) fn take_client_secret(&mut self, sealed: Option<&str>, ticket: &Ticket) {
        let open = |sealed| self.keys.open(Purpose::ClientSecret, ticket.binding(), sealed);
        if let Some(secret) = sealed.filter(|_| ticket.client_secret_sealed()).and_then(open).and_then(text) {
            self.client_secret = Some(secret);
        }
    }

    /// Whether the client secret, if one is needed, is there.
    fn can_authenticate(&self, ticket: &Ticket) -> bool {
        self.client_secret.is_some() || !ticket.client_secret_sealed()
    }

    /// Ends an attempt for which the page must, but cannot, exchange the code.
    pub(super) fn check_client_secret(&self, ticket: &Ticket) -> Result<(), Error> {
        if ticket.exchange() == ExchangePlace::Browser && !self.can_authenticate(ticket) {
            return Err(ErrorCode::RegistrationRefused.into());
        }
        Ok(())
    }

    /// Reads what the user pasted. A mistake ends nothing: it is shown beside the field.
    pub(super) fn take_paste<R: ?Sized>(
        &mut self,
        pasted: &Secret,
        context: &mut Context<'_, R>,
    ) -> Result<Option<VerifiedCode>, Halt> {
        let query = paste::query_of(pasted.expose(), self.request.redirect_uri());
        let problem = match query.map(|query| self.verify(query, context.ticket)) {
            Ok(Ok(code)) => return Ok(Some(code)),
            Ok(Err(Refusal::Ended(error))) if error.code().culprit() == Culprit::ProviderRefused => {
                return Err(Halt::Failed(error));
            }
            Ok(Err(Refusal::Dropped(error) | Refusal::Ended(error))) | Err(error) => error,
        };
        self.paste_problem = Some(problem.clone());
        let shown = Status { paste_problem: Some(problem), ..context.status.clone() };
        context.show(shown);
        Ok(None)
    }

    /// Checks a callback's query, whichever way it came.
    pub(super) fn verify(&self, query: &str, ticket: &Ticket) -> Result<VerifiedCode, Refusal> {
        callback::verify(query, self.request.state(), ticket.provider())
    }

    /// Has the code exchanged, once, by the page or by the kernel. `callback_page` is the window that it came from.
    pub(super) fn redeem<R: TryCryptoRng + ?Sized>(
        self,
        code: &VerifiedCode,
        callback_page: Option<WindowId>,
        context: &mut Context<'_, R>,
    ) -> Step {
        let ticket = context.ticket;
        self.check_client_secret(ticket)?;
        if *context.way == Way::CallbackPage {
            // A static page can do nothing more.
            context.dismiss_windows();
        }
        let carrier = callback_page.filter(|_| *context.way != Way::CallbackPage);
        let by_page = match ticket.exchange() {
            ExchangePlace::Browser => true,
            ExchangePlace::Kernel => false,
            ExchangePlace::Auto => *context.cors == Some(true) && self.can_authenticate(ticket),
        };
        if by_page && ticket.provider().openid_connect() {
            let secret = self.client_secret.as_ref();
            return Ok(Exchanging::begin(self.request, code, secret, carrier, context));
        }
        let plaintext = envelope::write_code(ticket, &self.request, code, context.now)?;
        let sealed = ticket.kernel_key().seal(Purpose::Code, ticket.binding(), &plaintext, context.rng)?;
        Ok(HandingOver::begin_with_code(sealed, carrier, context))
    }
}
