//! The device authorization grant (RFC 8628): a code that the user enters on a page, on any device.

use alloc::string::String;
use core::time::Duration;

use crate::endpoint::EndpointUrl;
use crate::error::{Error, ErrorCode};
use crate::json::Object;
use crate::secret::Secret;
use crate::ticket::Ticket;
use crate::token_endpoint::{BODY_LIMIT, TokenEndpointAnswer, TokenResponse, lifetime};

/// Between two polls if the provider names nothing (section 3.2).
const DEFAULT_INTERVAL: u64 = 5;
/// What every `slow_down` adds to the interval (section 3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// The longest pause after a failure of the network or the provider.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The shortest pause, whatever the provider says.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// Seconds after which a code is given up, however long the provider says it lives.
const LONGEST_LIFETIME: u64 = 3600;
/// The longest code that a person is asked to enter, in characters.
const USER_CODE_LIMIT: usize = 64;
/// Statuses that say nothing of the grant, besides those of a server's failure.
const TRANSIENT_STATUSES: [u16; 3] = [408, 425, 429];
/// What the endpoints may say that ends this grant (sections 3.2 and 3.5).
const REFUSALS: [ErrorCode; 10] = [
    ErrorCode::AccessDenied,
    ErrorCode::ExpiredToken,
    ErrorCode::InvalidClient,
    ErrorCode::InvalidGrant,
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidScope,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
    ErrorCode::UnauthorizedClient,
    ErrorCode::UnsupportedGrantType,
];

/// A code for the user, and where to enter it.
#[derive(Debug)]
pub struct DeviceAuthorization {
    /// What the user enters.
    pub user_code: String,
    /// The page where it is entered.
    pub verification_uri: EndpointUrl,
    /// The same page with the code filled in, if the provider has that.
    pub complete: Option<EndpointUrl>,
    /// For how long the code can be entered.
    pub expires_in: Duration,
    /// How long to wait between two polls.
    pub interval: Duration,
    /// What the token endpoint is polled with.
    pub device_code: Secret,
}

impl DeviceAuthorization {
    /// Reads the device authorization endpoint's answer (section 3.2).
    ///
    /// # Errors
    /// The provider's refusal by its code; `token_response_too_large`, `token_endpoint_failed` or
    /// `token_response_not_json`; `device_response_invalid` for the member that is missing or not usable.
    pub fn read(answer: &TokenEndpointAnswer, endpoint: &EndpointUrl) -> Result<Self, Error> {
        if let Some(setback) = setback(answer, endpoint) {
            return Err(setback.into_error());
        }
        let invalid = |member| Error::about(ErrorCode::DeviceResponseInvalid, member);
        let mut members = Object::read(answer.body.expose()).unwrap_or_default();
        let device_code = members.secret("device_code").filter(|code| !code.expose().is_empty());
        let user_code = members.text("user_code").filter(|code| is_user_code(code));
        // Google's name for it is older than the standard's.
        let page = members.text("verification_uri").or_else(|| members.text("verification_url"));
        let page =
            page.and_then(|url| EndpointUrl::of_page(&url)).ok_or_else(|| invalid("verification_uri"))?;
        let complete = members.text("verification_uri_complete").and_then(|url| EndpointUrl::of_page(&url));
        let lives = members.take("expires_in").as_ref().and_then(lifetime).filter(|seconds| *seconds > 0);
        let interval = members.take("interval").as_ref().and_then(lifetime).unwrap_or(DEFAULT_INTERVAL);
        Ok(Self {
            user_code: user_code.ok_or_else(|| invalid("user_code"))?,
            device_code: device_code.ok_or_else(|| invalid("device_code"))?,
            expires_in: Duration::from_secs(
                lives.ok_or_else(|| invalid("expires_in"))?.min(LONGEST_LIFETIME),
            ),
            interval: Duration::from_secs(interval),
            // A page of another origin is nobody's to vouch for.
            complete: complete.filter(|url| url.origin() == page.origin()),
            verification_uri: page,
        })
    }
}

/// When to ask the token endpoint again (section 3.5).
#[derive(Debug)]
pub struct Polling {
    interval: Duration,
    pause: Duration,
}

impl Polling {
    /// The first pause is the interval.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        let interval = interval.max(SHORTEST_PAUSE);
        Self { interval, pause: interval }
    }

    /// How long to wait before the next poll.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Takes in what a poll brought: tokens, whose ID token is not yet checked; `None` when another poll is due after the
    /// pause. No answer is a failure of the network.
    ///
    /// # Errors
    /// What ends the polling.
    pub fn take(
        &mut self,
        answer: Option<&TokenEndpointAnswer>,
        ticket: &Ticket,
    ) -> Result<Option<TokenResponse>, Error> {
        let endpoint = ticket.provider().token_endpoint();
        let setback = match answer {
            None => Some(Setback::Transient(ErrorCode::TokenEndpointUnreachable.into())),
            Some(answer) => match setback(answer, endpoint) {
                None => return TokenResponse::read(answer, endpoint, ticket.scopes()).map(Some),
                setback => setback,
            },
        };
        match setback {
            Some(Setback::Ended(error)) => return Err(error),
            Some(Setback::Transient(_)) => {
                self.pause = (self.pause * 2).min(LONGEST_PAUSE.max(self.interval));
            }
            Some(Setback::SlowDown) => {
                self.interval += SLOW_DOWN;
                self.pause = self.interval;
            }
            _ => self.pause = self.interval,
        }
        Ok(None)
    }
}

/// Why an answer of this grant's endpoints is no success.
enum Setback {
    /// The user has not entered the code yet.
    Pending,
    /// The provider wants longer pauses.
    SlowDown,
    /// It says nothing of the grant: the same request may succeed later.
    Transient(Error),
    /// The provider's last word.
    Ended(Error),
}

impl Setback {
    fn into_error(self) -> Error {
        match self {
            Self::Pending => Error::about(ErrorCode::ProviderError, "authorization_pending"),
            Self::SlowDown => Error::about(ErrorCode::ProviderError, "slow_down"),
            Self::Transient(error) | Self::Ended(error) => error,
        }
    }
}

fn setback(answer: &TokenEndpointAnswer, endpoint: &EndpointUrl) -> Option<Setback> {
    let body = answer.body.expose();
    let about = |code| Error::about(code, endpoint.authority());
    if body.len() > BODY_LIMIT {
        return Some(Setback::Ended(about(ErrorCode::TokenResponseTooLarge)));
    }
    let mut document = Object::read(body);
    let refused = document.as_ref().is_ok_and(|members| members.has("error"));
    let error = document.as_mut().ok().and_then(|members| members.text("error"));
    let error = error.as_deref().unwrap_or_default();
    let status = answer.status;
    if matches!(error, "server_error" | "temporarily_unavailable") {
        return Some(Setback::Transient(Error::of_provider(error, &REFUSALS, endpoint.authority())));
    }
    if status >= 500 || TRANSIENT_STATUSES.contains(&status) {
        return Some(Setback::Transient(about(ErrorCode::TokenEndpointFailed)));
    }
    if refused {
        return Some(match error {
            "authorization_pending" => Setback::Pending,
            "slow_down" => Setback::SlowDown,
            word => Setback::Ended(Error::of_provider(word, &REFUSALS, endpoint.authority())),
        });
    }
    if status != 200 {
        return Some(Setback::Ended(about(ErrorCode::TokenEndpointFailed)));
    }
    // A portal or a proxy in between answers with a page of its own.
    document.is_err().then(|| Setback::Transient(about(ErrorCode::TokenResponseNotJson)))
}

/// Printable ASCII, with spaces within at most.
fn is_user_code(code: &str) -> bool {
    let graphic = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = code.as_bytes();
    bytes.len() <= USER_CODE_LIMIT
        && graphic(bytes.first())
        && graphic(bytes.last())
        && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}
