//! What the page is told; separate from the core's types, so that those can change without the page noticing.

use std::fmt;

use js_sys::{JsString, Object, Reflect};
use tokentoss_core::Error;
use tokentoss_core::flow::{ShownCode, Status, Way};
use tsify::Tsify;
use wasm_bindgen::JsValue;

/// An event of a sign-in.
#[derive(Tsify)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FlowEvent {
    /// What the view shows.
    Status {
        /// Where the sign-in stands.
        #[tsify(
            type = "\"ready\" | \"waiting\" | \"signing_in\" | \"code\" | \"handing_over\" | \"done\" | \"failed\""
        )]
        phase: &'static str,
        /// The way that is being tried, while an answer is awaited.
        #[tsify(type = "\"loopback\" | \"callback_page\" | \"paste\" | null")]
        way: Option<&'static str>,
        /// What to open by hand.
        #[tsify(type = "string | null")]
        link: Option<String>,
        /// The stable code of what went wrong, or looks as if it had.
        #[tsify(type = "string | null")]
        code: Option<String>,
        /// The same as a sentence with the next step.
        #[tsify(type = "string | null")]
        message: Option<String>,
        /// What the sentence is about, safe to show.
        #[tsify(type = "string | null")]
        subject: Option<String>,
        /// What is wrong with the address that was pasted last, as a sentence.
        #[tsify(type = "string | null")]
        paste_problem: Option<String>,
        /// The code to enter on any device, once it is there.
        #[tsify(
            type = "{ user_code: string; verification_uri: string; page: string; expires_at: number } | null"
        )]
        to_enter: Option<ShownCode>,
    },
    /// For the kernel: it must ask for a user code, because this page cannot.
    AskKernelForCode,
    /// For the kernel: it must drop its user code, or the request for one.
    DropKernelCode,
    /// For the kernel, as it stands: the page introduces itself.
    Introduce {
        /// The ticket.
        ticket: String,
        /// A public key of this page.
        key: String,
        /// The page's origin.
        origin: String,
    },
    /// What was delivered is to leave the trait `sealed_tokens`: nobody waits for it any more.
    ClearEnvelope,
    /// For the kernel, as it stands: no start page makes this attempt known.
    Register {
        /// The ticket.
        ticket: String,
        /// The authorization request, sealed to the kernel.
        sealed: String,
        /// The public key of this attempt.
        key: String,
    },
    /// What was sealed for the kernel, for the trait `sealed_tokens`; repeated until acknowledged.
    Deliver {
        /// The envelope.
        envelope: String,
    },
}

impl fmt::Debug for FlowEvent {
    /// Only its kind: links and addresses are for the page and the kernel.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status { .. } => "Status",
            Self::Introduce { .. } => "Introduce",
            Self::ClearEnvelope => "ClearEnvelope",
            Self::Register { .. } => "Register",
            Self::AskKernelForCode => "AskKernelForCode",
            Self::DropKernelCode => "DropKernelCode",
            Self::Deliver { .. } => "Deliver",
        })
    }
}

impl FlowEvent {
    /// The event as a plain object. Made by hand: a serializer takes as much room as half of the flow.
    pub(crate) fn to_js(&self) -> JsValue {
        match self {
            Self::Status { phase, way, link, code, message, subject, paste_problem, to_enter } => {
                let status = object(&[
                    ("type", Some("status")),
                    ("phase", Some(phase)),
                    ("way", *way),
                    ("link", link.as_deref()),
                    ("code", code.as_deref()),
                    ("message", message.as_deref()),
                    ("subject", subject.as_deref()),
                    ("paste_problem", paste_problem.as_deref()),
                ]);
                set(&status, "to_enter", &to_enter.as_ref().map_or(JsValue::NULL, shown));
                status
            }
            Self::Introduce { ticket, key, origin } => object(&[
                ("type", Some("introduce")),
                ("ticket", Some(ticket)),
                ("key", Some(key)),
                ("origin", Some(origin)),
            ]),
            Self::ClearEnvelope => object(&[("type", Some("clear_envelope"))]),
            Self::Register { ticket, sealed, key } => object(&[
                ("type", Some("register")),
                ("ticket", Some(ticket)),
                ("sealed", Some(sealed)),
                ("key", Some(key)),
            ]),
            Self::AskKernelForCode => object(&[("type", Some("ask_kernel_for_code"))]),
            Self::DropKernelCode => object(&[("type", Some("drop_kernel_code"))]),
            Self::Deliver { envelope } => object(&[("type", Some("deliver")), ("envelope", Some(envelope))]),
        }
    }
}

impl From<Status> for FlowEvent {
    fn from(status: Status) -> Self {
        let problem = status.problem.as_ref();
        Self::Status {
            phase: status.phase.as_str(),
            way: status.way.map(Way::as_str),
            paste_problem: status.paste_problem.as_ref().map(Error::message),
            code: problem.map(|problem| problem.code().into()),
            message: problem.map(tokentoss_core::flow::Problem::message),
            subject: problem.and_then(|problem| problem.is_about().map(Into::into)),
            link: status.link,
            to_enter: status.code,
        }
    }
}

fn shown(code: &ShownCode) -> JsValue {
    let shown = object(&[
        ("user_code", Some(&code.user_code)),
        ("verification_uri", Some(&code.verification_uri)),
        ("page", Some(&code.page)),
    ]);
    #[expect(clippy::cast_precision_loss, reason = "a moment in seconds is far below 2^53")]
    set(&shown, "expires_at", &JsValue::from_f64(code.expires_at as f64));
    shown
}

fn object(members: &[(&str, Option<&str>)]) -> JsValue {
    let object = Object::new().into();
    for (name, value) in members {
        set(&object, name, &value.map_or(JsValue::NULL, JsValue::from_str));
    }
    object
}

fn set(object: &JsValue, name: &str, value: &JsValue) {
    // Only fails on objects that refuse properties, which a fresh one does not.
    let _ = Reflect::set(object, &JsString::from(name), value);
}
