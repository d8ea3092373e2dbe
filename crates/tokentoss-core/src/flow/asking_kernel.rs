//! The kernel asks for a user code, because this page cannot, and signs in with it.

use core::time::Duration;

use super::context::Context;
use super::introducing::Introducing;
use super::state::{Event, Halt, State, Step};
use super::{Input, Output, Phase, ShownCode, Status};
use crate::error::ErrorCode;
use crate::timestamp::Timestamp;

/// How long a busy kernel is waited for.
const ANSWER_LIMIT: Duration = Duration::from_secs(600);
/// How long a user code of the kernel is shown if the kernel does not say that it ended. The kernel's clock may differ from
/// this page's, so the end that the kernel names is not used here.
const SHOWN_LIMIT: Duration = Duration::from_secs(3600);

#[derive(Debug)]
pub(super) struct AskingKernel {
    stage: Stage,
    deadline: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The kernel has not answered yet.
    Asked,
    /// The kernel's user code is shown.
    Shown,
}

impl AskingKernel {
    /// Asks the kernel.
    pub(super) fn begin(cx: &mut Context<'_>) -> State {
        cx.output(Output::AskKernelForCode);
        cx.show(Status::phase(Phase::Code));
        State::AskingKernel(Self { stage: Stage::Asked, deadline: cx.now + ANSWER_LIMIT })
    }

    /// Shows a user code of the kernel: the answer, or one that the kernel shows already.
    pub(super) fn begin_shown(code: ShownCode, cx: &mut Context<'_>) -> State {
        cx.show(Status { code: Some(code), ..Status::phase(Phase::Code) });
        State::AskingKernel(Self { stage: Stage::Shown, deadline: cx.now + SHOWN_LIMIT })
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(self.deadline)
    }

    /// The clock was put back.
    pub(super) fn put_back(&mut self, from: Timestamp, to: Timestamp) {
        self.deadline = self.deadline.put_back(from, to);
    }

    pub(super) fn handle(self, event: Event, cx: &mut Context<'_>) -> Step {
        match (self.stage, event) {
            (_, Event::Input(Input::SignIn)) => {
                State::AskingKernel(self).give_up(cx);
                Introducing::begin(cx)
            }
            (_, Event::Input(Input::KernelCodeShown { code })) => Ok(Self::begin_shown(code, cx)),
            (_, Event::Input(Input::KernelCodeFailed { refusal })) => {
                cx.show(Status::refused(refusal));
                Ok(State::Ready)
            }
            // One that ends before there was an answer is not the one that was asked for.
            (Stage::Shown, Event::Input(Input::KernelCodeEnded)) => {
                cx.show(Status::phase(Phase::Ready));
                Ok(State::Ready)
            }
            (stage, Event::Input(Input::TimerFired)) if self.deadline <= cx.now => {
                cx.output(Output::DropKernelCode);
                let code =
                    if stage == Stage::Asked { ErrorCode::KernelBusy } else { ErrorCode::ExpiredToken };
                Err(Halt::Failed(code.into()))
            }
            (_, event) => State::AskingKernel(self).ignore(&event),
        }
    }
}
