//! The popup is opening; its start page introduces the notebook page to the listener.

use alloc::string::String;
use core::time::Duration;

use super::attempt::Attempt;
use super::awaiting_callback::AwaitingCallback;
use super::context::Context;
use super::exchanging::Exchanging;
use super::state::{Event, Halt, State, Step};
use super::{Input, Output, Way, WindowId};
use crate::authorization_response::Refusal;
use crate::error::{Error, ErrorCode};
use crate::message::FromPopup;
use crate::timestamp::Timestamp;

/// How long the start page may take to say that it is there, before the next way is taken. It takes a fifth of a second where
/// the listener can be reached; a slow one loses little, because the next way ends at the same listener if it can.
const READY_LIMIT: Duration = Duration::from_secs(1);
/// How long the listener may then take to accept the page, or the kernel, where the window looks closed by then.
const INTRODUCTION_LIMIT: Duration = Duration::from_secs(5);
/// How long the user may take to confirm: as long as the kernel waits for that.
const CONFIRMATION_LIMIT: Duration = Duration::from_secs(5 * 60);

#[derive(Debug)]
pub(super) struct Introducing {
    attempt: Attempt,
    stage: Stage,
}

/// How far the start page has come. The moment is the one at which it is given up.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Whether the popup opens is not known yet.
    Opening,
    /// The browser refused to open it.
    Blocked,
    /// A window is open, and its start page was not heard of.
    Loading(Timestamp),
    /// The window looks closed, and its start page was not heard of: closed, or cut off where the notebook page itself has a
    /// Cross-Origin-Opener-Policy. The kernel was told of the page.
    CutOff(Timestamp),
    /// The start page was answered.
    Answered(Timestamp),
    /// The start page asks the user whether this page may sign in.
    Confirming(Timestamp),
    /// The same, and the window looks closed.
    AnsweredAndClosed(Timestamp),
}

impl Introducing {
    /// Takes the click: opens the popup by the best way that the ticket offers.
    pub(super) fn begin(cx: &mut Context<'_>) -> Step {
        cx.shared.way = cx.first_way();
        let attempt = Attempt::new(cx)?;
        cx.output(Output::Listen);
        let Some(url) = attempt.start_url(cx) else {
            return AwaitingCallback::begin_with_popup(attempt, cx);
        };
        cx.output(Output::OpenPopup { url: url.into() });
        Ok(State::Introducing(Self { attempt, stage: Stage::Opening }))
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Opening | Stage::Blocked => None,
            Stage::Loading(due)
            | Stage::CutOff(due)
            | Stage::Answered(due)
            | Stage::Confirming(due)
            | Stage::AnsweredAndClosed(due) => Some(due),
        }
    }

    /// Whether a click was taken, and the popup has yet to open.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self.stage, Stage::Opening)
    }

    /// The clock was put back.
    pub(super) fn put_back(&mut self, from: Timestamp, to: Timestamp) {
        match &mut self.stage {
            Stage::Opening | Stage::Blocked => {}
            Stage::Loading(due)
            | Stage::CutOff(due)
            | Stage::Answered(due)
            | Stage::Confirming(due)
            | Stage::AnsweredAndClosed(due) => *due = due.put_back(from, to),
        }
    }

    pub(super) fn handle(mut self, event: Event, cx: &mut Context<'_>) -> Step {
        match (event, self.stage) {
            (Event::Message(window, message), _) => return self.handle_message(window, message, cx),
            (Event::Input(Input::PopupOpened { window }), _) => {
                cx.shared.windows.add_opened(window);
                self.await_start_page(cx);
            }
            (Event::Input(Input::PopupBlocked), _) => {
                self.stage = Stage::Blocked;
                cx.show(self.attempt.blocked(cx));
            }
            (Event::Input(Input::LinkFollowed), _) => {
                cx.shared.windows.expect_more();
                self.await_start_page(cx);
            }
            (Event::Input(Input::LinkCopied), _) => return self.give_up_start_page(cx),
            (Event::Input(Input::Pasted { text }), _) => match self.attempt.read_paste(&text, cx.ticket) {
                Ok(code) => return Exchanging::begin(self.attempt, &code, None, cx),
                Err(Refusal::Dropped(error)) => self.attempt.show_paste_problem(error, cx),
                Err(Refusal::Ended(error)) => return Err(Halt::Failed(error)),
            },
            (Event::Input(Input::SignIn), Stage::Blocked) => {
                cx.dismiss_windows();
                return Self::begin(cx);
            }
            (
                Event::Input(Input::WindowClosed { window }),
                Stage::Opening | Stage::Blocked | Stage::Loading(_),
            ) if cx.shared.windows.knows(window) => {
                self.attempt.register(cx)?;
                self.stage = Stage::CutOff(cx.now + INTRODUCTION_LIMIT);
            }
            (Event::Input(Input::WindowClosed { window }), Stage::Answered(due))
                if cx.shared.windows.knows(window) =>
            {
                self.stage = Stage::AnsweredAndClosed(due);
            }
            (Event::Input(Input::WindowClosed { window }), Stage::Confirming(_))
                if cx.shared.windows.knows(window) =>
            {
                self.stage = Stage::AnsweredAndClosed(cx.now + INTRODUCTION_LIMIT);
            }
            (Event::Input(Input::Registered { key, sealed }), stage) => {
                let registered = self.attempt.take_registered(&key, &sealed, cx.ticket);
                if registered && matches!(stage, Stage::CutOff(_)) {
                    self.attempt.check_client_secret(cx.ticket)?;
                    return Ok(AwaitingCallback::begin_cut_off(self.attempt, cx));
                }
            }
            (Event::Input(Input::TimerFired), Stage::CutOff(due) | Stage::AnsweredAndClosed(due))
                if due <= cx.now =>
            {
                self.leave_loopback(cx)?;
                return Ok(AwaitingCallback::begin_windowless(self.attempt, cx));
            }
            (
                Event::Input(Input::TimerFired),
                Stage::Loading(due) | Stage::Answered(due) | Stage::Confirming(due),
            ) if due <= cx.now => {
                return self.give_up_start_page(cx);
            }
            (event, _) => return State::Introducing(self).ignore(&event),
        }
        Ok(State::Introducing(self))
    }

    fn handle_message(mut self, window: WindowId, message: FromPopup, cx: &mut Context<'_>) -> Step {
        match message {
            FromPopup::Ready {} => {
                self.attempt.answer_start_page(window, cx)?;
                let due = cx.now + INTRODUCTION_LIMIT;
                self.stage = match self.stage {
                    Stage::Opening | Stage::Blocked | Stage::Loading(_) => Stage::Answered(due),
                    Stage::CutOff(_) => Stage::AnsweredAndClosed(due),
                    answered => answered,
                };
                Ok(State::Introducing(self))
            }
            // It says so once it was answered; saying it again prolongs nothing.
            FromPopup::Confirming {} => {
                if let Stage::Answered(_) | Stage::AnsweredAndClosed(_) = self.stage {
                    self.stage = Stage::Confirming(cx.now + CONFIRMATION_LIMIT);
                    cx.show(self.attempt.doubtful(ErrorCode::ConfirmationAwaited, cx));
                }
                Ok(State::Introducing(self))
            }
            FromPopup::Registered { answer } => {
                if !self.attempt.take_answer(&answer, cx.ticket) {
                    if !cx.shared.windows.opened(window) {
                        // The start page may be another widget's on this page.
                        return Ok(State::Introducing(self));
                    }
                    // Another program answers on the port.
                    cx.shared.listener_trusted = false;
                    return self.give_up_start_page(cx);
                }
                self.attempt.check_client_secret(cx.ticket)?;
                Ok(AwaitingCallback::begin(self.attempt, cx))
            }
            FromPopup::Refused { code } => {
                let code = refusal(&code);
                // Nobody but the kernel asks the user; any other refusal may be another program's, so the next click does without.
                cx.shared.listener_trusted &= code == ErrorCode::PageRefused;
                Err(Halt::Failed(code.into()))
            }
            FromPopup::Callback { .. } | FromPopup::Delivered { .. } => {
                State::Introducing(self).dropping(ErrorCode::StateMismatch.into())
            }
        }
    }

    fn await_start_page(&mut self, cx: &mut Context<'_>) {
        self.stage = Stage::Loading(cx.now + READY_LIMIT);
        cx.show(self.attempt.waiting(cx));
    }

    fn give_up_start_page(mut self, cx: &mut Context<'_>) -> Step {
        self.leave_loopback(cx)?;
        Ok(AwaitingCallback::begin(self.attempt, cx))
    }

    /// Turns to a way that needs no start page: open windows go straight to the provider, and the page itself registers the
    /// attempt with the kernel.
    fn leave_loopback(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        cx.shared.way = Way::beside_loopback(cx.ticket);
        if cx.shared.way == Way::CallbackPage {
            // All fresh: an answer to the address that was given up no longer belongs to this attempt.
            let popup_in_reach = !matches!(self.stage, Stage::CutOff(_) | Stage::AnsweredAndClosed(_));
            self.attempt.replace_request(cx.authorization_request()?, popup_in_reach);
        }
        self.attempt.open_channel(cx);
        for window in cx.shared.windows.known() {
            let url = String::from(self.attempt.request.url());
            cx.output(Output::Navigate { window, url: url.into() });
        }
        self.attempt.register(cx)
    }
}

/// The listener's reason as one of ours.
fn refusal(code: &str) -> ErrorCode {
    match code {
        "endpoint_insecure" => ErrorCode::EndpointInsecure,
        "page_refused" => ErrorCode::PageRefused,
        "page_origin_opaque" => ErrorCode::PageOriginOpaque,
        _ => ErrorCode::RegistrationRefused,
    }
}
