//! The user is at the provider's pages; the first valid answer wins, by whichever way it comes.

use alloc::string::String;
use core::time::Duration;

use super::attempt::Attempt;
use super::context::Context;
use super::exchanging::Exchanging;
use super::introducing::Introducing;
use super::state::{Event, Halt, State, Step};
use super::{Input, Output, Problem, Status, Way, WindowId};
use crate::authorization_response::{Refusal, VerifiedCode};
use crate::error::ErrorCode;
use crate::message::FromPopup;
use crate::timestamp::Timestamp;

/// How long the user may take.
const CALLBACK_LIMIT: Duration = Duration::from_secs(10 * 60);
/// How long a window may look closed before the user is told; its last message may still be on
/// its way, and under Cross-Origin-Opener-Policy it only looks so.
const CLOSED_GRACE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct AwaitingCallback {
    attempt: Attempt,
    deadline: Timestamp,
    window: Window,
    next_click: NextClick,
}

/// The window that the user signs in with.
#[derive(Clone, Copy, Debug)]
enum Window {
    /// It is open, as far as is known.
    Open,
    /// It looks closed; the user is told at this moment.
    LooksClosed(Timestamp),
    /// The user was told that there is none: a click begins anew.
    Missing,
}

/// What a click does that begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NextClick {
    /// It takes the same way again.
    SameWay,
    /// It does without a start page, because none was heard of.
    WithoutStartPage,
}

impl AwaitingCallback {
    /// A window is on its way to the provider.
    pub(super) fn begin(attempt: Attempt, cx: &mut Context<'_>) -> State {
        cx.show(attempt.waiting(cx));
        Self::arm(attempt, Window::Open, NextClick::SameWay, cx)
    }

    /// No start page is needed: the popup goes to the provider at once.
    pub(super) fn begin_with_popup(attempt: Attempt, cx: &mut Context<'_>) -> Step {
        attempt.open_channel(cx);
        let url = String::from(attempt.request.url());
        cx.output(Output::OpenPopup { url: url.into() });
        attempt.register(cx)?;
        Ok(Self::arm(attempt, Window::Open, NextClick::SameWay, cx))
    }

    /// The window looked closed before it was ready: the user opens the link, or clicks for a window anew.
    pub(super) fn begin_windowless(attempt: Attempt, cx: &mut Context<'_>) -> State {
        cx.show(attempt.doubtful(ErrorCode::PopupClosed, cx));
        Self::arm(attempt, Window::Missing, NextClick::SameWay, cx)
    }

    /// The window looks closed, and the kernel knows the attempt: a start page that was only cut off is told by its listener where
    /// to go. The user is told of the other possibility.
    pub(super) fn begin_cut_off(mut attempt: Attempt, cx: &mut Context<'_>) -> State {
        attempt.link_to_provider();
        cx.show(attempt.waiting(cx));
        let window = Window::LooksClosed(cx.now + CLOSED_GRACE);
        Self::arm(attempt, window, NextClick::WithoutStartPage, cx)
    }

    fn arm(attempt: Attempt, window: Window, next_click: NextClick, cx: &mut Context<'_>) -> State {
        cx.probe_token_endpoint();
        State::AwaitingCallback(Self { attempt, deadline: cx.now + CALLBACK_LIMIT, window, next_click })
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(match self.window {
            Window::LooksClosed(hint) => hint.min(self.deadline),
            Window::Open | Window::Missing => self.deadline,
        })
    }

    /// The clock was put back.
    pub(super) fn put_back(&mut self, from: Timestamp, to: Timestamp) {
        self.deadline = self.deadline.put_back(from, to);
        if let Window::LooksClosed(hint) = &mut self.window {
            *hint = hint.put_back(from, to);
        }
    }

    pub(super) fn handle(mut self, event: Event, cx: &mut Context<'_>) -> Step {
        match (event, self.window) {
            (Event::Message(window, message), _) => return self.handle_message(window, message, cx),
            (Event::Input(Input::Relayed { sealed }), _) => {
                return match self.attempt.open_relayed(&sealed, cx.ticket) {
                    Some(query) => {
                        let verified = self.attempt.verify_relayed(query.expose(), cx.ticket);
                        self.handle_verified(verified, None, cx)
                    }
                    None => State::AwaitingCallback(self).dropping(ErrorCode::MessageMalformed.into()),
                };
            }
            (Event::Input(Input::Broadcast { text }), _) => {
                return match FromPopup::read(text.expose()) {
                    Some(FromPopup::Callback { query }) => self.handle_callback(query.expose(), None, cx),
                    _ => State::AwaitingCallback(self).dropping(ErrorCode::MessageMalformed.into()),
                };
            }
            (Event::Input(Input::Pasted { text }), _) => match self.attempt.read_paste(&text, cx.ticket) {
                Ok(code) => return Exchanging::begin(self.attempt, &code, None, cx),
                Err(Refusal::Dropped(error)) => self.attempt.show_paste_problem(error, cx),
                Err(Refusal::Ended(error)) => return Err(Halt::Failed(error)),
            },
            (Event::Input(Input::Registered { key, sealed }), _) => {
                self.attempt.take_registered(&key, &sealed, cx.ticket);
            }
            (Event::Input(Input::PopupOpened { window }), _) => {
                cx.shared.windows.add_opened(window);
                self.wait_on(cx);
            }
            (Event::Input(Input::PopupBlocked), _) => {
                self.window = Window::Missing;
                cx.show(self.attempt.blocked(cx));
            }
            (Event::Input(Input::LinkFollowed), _) => {
                cx.shared.windows.expect_more();
                self.wait_on(cx);
            }
            (Event::Input(Input::LinkCopied), _) => {
                self.attempt.link_to_provider();
                self.wait_on(cx);
            }
            (Event::Input(Input::WindowClosed { window }), Window::Open)
                if cx.shared.windows.knows(window) =>
            {
                self.window = Window::LooksClosed(cx.now + CLOSED_GRACE);
            }
            (Event::Input(Input::SignIn), Window::Missing) => return self.begin_anew(cx),
            (Event::Input(Input::TimerFired), _) if self.deadline <= cx.now => {
                return Err(Halt::Failed(ErrorCode::SignInTimedOut.into()));
            }
            (Event::Input(Input::TimerFired), Window::LooksClosed(hint)) if hint <= cx.now => {
                self.window = Window::Missing;
                cx.show(self.attempt.doubtful(ErrorCode::PopupClosed, cx));
            }
            (event, _) => return State::AwaitingCallback(self).ignore(&event),
        }
        Ok(State::AwaitingCallback(self))
    }

    fn handle_message(mut self, window: WindowId, message: FromPopup, cx: &mut Context<'_>) -> Step {
        match message {
            FromPopup::Ready {} => self.attempt.answer_start_page(window, cx)?,
            FromPopup::Callback { query } => return self.handle_callback(query.expose(), Some(window), cx),
            // The listener was given up, or has registered this attempt already; what it tells is welcome all the same.
            FromPopup::Registered { answer } => {
                self.attempt.take_answer(&answer, cx.ticket);
            }
            FromPopup::Refused { .. } | FromPopup::Confirming {} => {}
            FromPopup::Delivered { .. } => {
                return State::AwaitingCallback(self).dropping(ErrorCode::StateMismatch.into());
            }
        }
        Ok(State::AwaitingCallback(self))
    }

    fn wait_on(&mut self, cx: &mut Context<'_>) {
        self.window = Window::Open;
        cx.show(self.attempt.waiting(cx));
    }

    fn begin_anew(self, cx: &mut Context<'_>) -> Step {
        cx.dismiss_windows();
        if self.next_click == NextClick::WithoutStartPage {
            cx.shared.way = Way::beside_loopback(cx.ticket);
        }
        if cx.shared.way == Way::Loopback {
            return Introducing::begin(cx);
        }
        // The start page was of no use; what was found out about the browser still holds.
        let attempt = Attempt::new(cx)?;
        cx.output(Output::Listen);
        Self::begin_with_popup(attempt, cx)
    }

    fn handle_callback(self, query: &str, window: Option<WindowId>, cx: &mut Context<'_>) -> Step {
        let verified = self.attempt.verify(query, cx.ticket);
        self.handle_verified(verified, window, cx)
    }

    fn handle_verified(
        self,
        verified: Result<VerifiedCode, Refusal>,
        window: Option<WindowId>,
        cx: &mut Context<'_>,
    ) -> Step {
        match verified {
            Ok(code) => {
                if let Some(window) = window {
                    cx.shared.windows.add(window);
                }
                Exchanging::begin(self.attempt, &code, window, cx)
            }
            Err(Refusal::Dropped(error)) => {
                if let ErrorCode::IssuerMismatch | ErrorCode::IssuerMissing = error.code() {
                    // The attempt goes on, and the user learns why nothing comes of this answer.
                    let shown = self.attempt.waiting(cx);
                    cx.show(Status { problem: Some(Problem::Page(error.clone())), ..shown });
                }
                State::AwaitingCallback(self).dropping(error)
            }
            Err(Refusal::Ended(error)) => Err(Halt::Failed(error)),
        }
    }
}
