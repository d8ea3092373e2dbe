//! The device authorization grant (RFC 8628): a user code that the user enters on a page, on any device.

use alloc::string::String;
use core::time::Duration;

use form_urlencoded::Serializer;

use crate::endpoint::EndpointUrl;
use crate::error::{Error, ErrorCode};
use crate::form_request::{BODY_LIMIT, EndpointAnswer, FormRequest};
use crate::json::{Json, Object};
use crate::secret::Secret;
use crate::ticket::Ticket;
use crate::token_endpoint::{REFUSALS, TokenResponse, lifetime};

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

/// A request for a user code (section 3.1).
#[must_use]
pub fn request(ticket: &Ticket, endpoint: &EndpointUrl) -> FormRequest {
    let mut form = Serializer::new(String::new());
    form.append_pair("client_id", ticket.client_id());
    form.append_pair("scope", &ticket.client().scope());
    FormRequest::new(endpoint, form)
}

/// A token request that asks whether the user has entered the user code (section 3.4).
#[must_use]
pub fn poll(ticket: &Ticket, device_code: &Secret) -> FormRequest {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    form.append_pair("device_code", device_code.expose());
    FormRequest::to_token_endpoint(ticket.client(), None, form)
}

/// A user code, and where to enter it.
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
    pub fn read(answer: &EndpointAnswer, endpoint: &EndpointUrl) -> Result<Self, Error> {
        if let Some((_, error)) = setback(answer, endpoint) {
            return Err(error);
        }
        let mut members = Object::read(answer.body.expose()).unwrap_or_default();
        let device_code = members.secret("device_code").filter(|code| !code.expose().is_empty());
        let user_code = members.text("user_code").filter(|code| is_user_code(code));
        let mut page = |name| members.text(name).and_then(|url| EndpointUrl::of_page(&url));
        // Google's name for it is older than the standard's.
        let verification_uri = page("verification_uri").or_else(|| page("verification_url"));
        let complete = page("verification_uri_complete");
        let mut seconds = |name| members.take(name).as_ref().and_then(lifetime);
        let expires_in = seconds("expires_in").filter(|seconds| *seconds > 0);
        let interval = seconds("interval").unwrap_or(DEFAULT_INTERVAL);
        let unusable = match (&device_code, &user_code, &verification_uri) {
            (None, _, _) => "device_code",
            (_, None, _) => "user_code",
            (_, _, None) => "verification_uri",
            _ if expires_in.is_none() => "expires_in",
            _ => "a member that stands there twice",
        };
        let (Some(device_code), Some(user_code), Some(verification_uri), Some(expires_in), false) =
            (device_code, user_code, verification_uri, expires_in, members.repeats())
        else {
            return Err(Error::about(ErrorCode::DeviceResponseInvalid, unusable));
        };
        Ok(Self {
            user_code,
            // Only a page of the same origin is known to belong to the provider.
            complete: complete.filter(|url| url.origin() == verification_uri.origin()),
            verification_uri,
            expires_in: Duration::from_secs(expires_in.min(LONGEST_LIFETIME)),
            interval: Duration::from_secs(interval),
            device_code,
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
        answer: Option<&EndpointAnswer>,
        ticket: &Ticket,
    ) -> Result<Option<TokenResponse>, Error> {
        let endpoint = ticket.provider().token_endpoint();
        let setback = match answer {
            None => Setback::Transient,
            Some(answer) => match setback(answer, endpoint) {
                None => return TokenResponse::read(answer, endpoint, ticket.client().scopes()).map(Some),
                Some((Setback::Ended, error)) => return Err(error),
                Some((setback, _)) => setback,
            },
        };
        if setback == Setback::SlowDown {
            self.interval += SLOW_DOWN;
        }
        self.pause = match setback {
            Setback::Transient => (self.pause * 2).min(LONGEST_PAUSE.max(self.interval)),
            _ => self.interval,
        };
        Ok(None)
    }
}

/// What an answer of this grant's endpoints that is no success means for the next poll.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Setback {
    /// The user has not entered the code yet.
    Pending,
    /// The provider wants longer pauses.
    SlowDown,
    /// It says nothing of the grant: the same request may succeed later.
    Transient,
    /// There is none.
    Ended,
}

/// Why an answer is no success; `None` for a JSON object that may be one.
fn setback(answer: &EndpointAnswer, endpoint: &EndpointUrl) -> Option<(Setback, Error)> {
    let (body, status) = (answer.body.expose(), answer.status);
    let too_large = body.len() > BODY_LIMIT;
    let mut document = Object::read(if too_large { "" } else { body });
    // As in the other grant, a null counts as no error.
    let refusal = document.as_mut().ok().and_then(|members| members.take("error"));
    let word = refusal.as_ref().and_then(Json::as_text).unwrap_or_default();
    let (setback, code) = match word {
        _ if too_large => (Setback::Ended, Some(ErrorCode::TokenResponseTooLarge)),
        "server_error" | "temporarily_unavailable" => (Setback::Transient, None),
        _ if status >= 500 || TRANSIENT_STATUSES.contains(&status) => {
            (Setback::Transient, Some(ErrorCode::TokenEndpointFailed))
        }
        "authorization_pending" => (Setback::Pending, None),
        "slow_down" => (Setback::SlowDown, None),
        "access_denied" => (Setback::Ended, Some(ErrorCode::AccessDenied)),
        "expired_token" => (Setback::Ended, Some(ErrorCode::ExpiredToken)),
        _ if refusal.is_some() => (Setback::Ended, None),
        _ if status != 200 => (Setback::Ended, Some(ErrorCode::TokenEndpointFailed)),
        // A portal or a proxy in between answers with a page of its own.
        _ if document.is_err() => (Setback::Transient, Some(ErrorCode::TokenResponseNotJson)),
        _ => return None,
    };
    let host = endpoint.authority();
    let error = match code {
        Some(code) => Error::about(code, host),
        None => Error::of_provider(word, &REFUSALS, host),
    };
    Some((setback, error))
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
