//! What each fuzz target does with an input: one function a target, which panics when something that must
//! always hold does not, and else says how the core took the input.
//!
//! The fuzzer (`fuzz/`, nightly) and the corpus test (`tests/corpus.rs`, stable) call the same functions. The
//! invariants are checked with other eyes than the core's: `serde_json`'s tree, `base64`, the `url` crate and a
//! form decoder of a few lines.

mod attempt;
mod callback;
mod device_answer;
mod endpoint;
mod envelope;
mod id_token;
mod message;
mod redaction;
mod ticket;
mod token_response;

use tokentoss_core::ErrorCode;

pub use callback::callback;
pub use device_answer::device_answer;
pub use endpoint::endpoint;
pub use envelope::envelope;
pub use id_token::id_token;
pub use message::message;
pub use ticket::ticket;
pub use token_response::token_response;

/// How the core took an input: accepted, or refused with a code where the parser has codes.
pub type Outcome = Result<(), Option<ErrorCode>>;

/// A target: its name, its function, and every code that it may refuse with.
pub struct Target {
    /// The name of the corpus and of the fuzzer's binary.
    pub name: &'static str,
    /// What is done with an input.
    pub run: fn(&[u8]) -> Outcome,
    /// The codes that the documentation of the core names for this parser.
    pub codes: &'static [ErrorCode],
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "callback", run: callback, codes: callback::CODES },
    Target { name: "device_answer", run: device_answer, codes: device_answer::CODES },
    Target { name: "endpoint", run: endpoint, codes: &[ErrorCode::EndpointInsecure] },
    Target { name: "envelope", run: envelope, codes: &[] },
    Target { name: "id_token", run: id_token, codes: id_token::CODES },
    Target { name: "message", run: message, codes: &[] },
    Target { name: "ticket", run: ticket, codes: ticket::CODES },
    Target { name: "token_response", run: token_response, codes: token_response::CODES },
];

/// The outcome of a refusal, which must be one that is documented and whose sentence must be whole.
fn refused(error: &tokentoss_core::Error, codes: &[ErrorCode]) -> Outcome {
    assert!(codes.contains(&error.code()), "{} is not documented for this parser", error.code().as_str());
    let sentence = error.message();
    assert!(!sentence.contains(['{', '}']), "a sentence with a gap: {sentence}");
    assert!(sentence.chars().all(|c| !c.is_control()), "a sentence with control characters: {sentence:?}");
    Err(Some(error.code()))
}
