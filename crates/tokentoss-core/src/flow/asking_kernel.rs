//! The kernel asks for a user code, because this page cannot, and signs in with it.

use core::time::Duration;

use super::{Context, Halt, Input, Output, Phase, ShownCode, State, Status, Step};
use crate::error::ErrorCode;
use crate::timestamp::Timestamp;

/// How long a busy kernel is waited for.
const ANSWER_LIMIT: Duration = Duration::from_secs(600);
/// How long a user code of the kernel is shown if the kernel does not say that it ended. The kernel's clock may differ from
/// this page's, so that its own end says nothing here.
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
    pub(super) fn begin<R: ?Sized>(context: &mut Context<'_, R>) -> State {
        context.outputs.push_back(Output::AskKernelForCode);
        context.show(Status::phase(Phase::Code));
        State::AskingKernel(Self { stage: Stage::Asked, deadline: context.now + ANSWER_LIMIT })
    }

    /// Shows a user code of the kernel: the answer, or one that the kernel shows already.
    pub(super) fn begin_shown<R: ?Sized>(code: ShownCode, context: &mut Context<'_, R>) -> State {
        context.show(Status { code: Some(code), ..Status::phase(Phase::Code) });
        State::AskingKernel(Self { stage: Stage::Shown, deadline: context.now + SHOWN_LIMIT })
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        Some(self.deadline)
    }

    pub(super) fn handle<R: ?Sized>(self, input: Input, context: &mut Context<'_, R>) -> Step {
        match (self.stage, input) {
            (_, Input::KernelCodeShown { code }) => Ok(Self::begin_shown(code, context)),
            (_, Input::KernelCodeFailed { refusal }) => {
                context.show(Status::refused(refusal));
                Ok(State::Ready)
            }
            // One that ends before there was an answer is not the one that was asked for.
            (Stage::Shown, Input::KernelCodeEnded) => {
                context.show(Status::phase(Phase::Ready));
                Ok(State::Ready)
            }
            (stage, Input::TimerFired) if self.deadline <= context.now => {
                context.outputs.push_back(Output::DropKernelCode);
                let code = if stage == Stage::Asked { ErrorCode::KernelBusy } else { ErrorCode::ExpiredToken };
                Err(Halt::Failed(code.into()))
            }
            _ => Ok(State::AskingKernel(self)),
        }
    }
}
