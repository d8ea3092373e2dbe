//! One call: it acquires a permit and a token, sends the request, and streams the response back.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use http_body::Body as _;
use http_body_util::BodyExt;
use tokentoss_core::Secret;
use tokentoss_custody::TokenHash;

use super::addresses::is_refused;
use super::allow::{AllowRule, Credential};
use super::body::{BodyError, LimitedBody, Progress};
use super::call_limits::CallPermit;
use super::framing::{frame, length_of_get};
use super::headers::{to_caller, to_service, wants_upgrade};
use super::{Target, Through};
use crate::callers::Caller;
use crate::problem::Problem;
use crate::refresh::{Custodian, TokenRequest, hash_of};
use crate::store::GrantId;
use crate::transport::TransportFailure;

/// Names the account, where there are several.
const ACCOUNT: &str = "x-tokentoss-account";
/// Names the credential.
const CREDENTIAL: &str = "x-tokentoss-credential";
/// A body up to this length in bytes is buffered, so that the request can be repeated with a new token.
const BUFFER_LIMIT: u64 = 64 * 1024;

/// The body of a request: buffered, or streamed once.
enum RequestBody {
    Buffered(Bytes),
    Streamed(Option<Body>),
}

/// The audit line of a call; it contains no path, query or header.
struct Audit {
    caller: Caller,
    provider: String,
    origin: String,
    method: Method,
    status: u16,
    sent: Arc<Progress>,
    received: Arc<Progress>,
}

impl Drop for Audit {
    fn drop(&mut self) {
        tracing::info!(
            target: "audit",
            action = "through",
            caller = self.caller.name,
            tenant = self.caller.tenant,
            user = self.caller.user,
            provider = self.provider,
            origin = self.origin,
            method = self.method.as_str(),
            status = self.status,
            bytes_sent = self.sent.bytes(),
            bytes_received = self.received.bytes(),
            is_whole = self.received.is_whole(),
            "made a call"
        );
    }
}

impl Through {
    /// Makes the call that a request describes.
    ///
    /// # Errors
    /// The call is refused, or there is no response. Error responses of the service are not errors here.
    pub async fn call(
        &self,
        custodian: &Arc<Custodian>,
        caller: Caller,
        request: Request<Body>,
    ) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        let target = Target::read(&parts.uri).ok_or_else(Problem::invalid_request)?;
        if wants_upgrade(&parts.headers) {
            return Err(Problem::invalid_request());
        }
        let account = one(&parts.headers, ACCOUNT)?.map(str::to_owned);
        let credential = match one(&parts.headers, CREDENTIAL)? {
            None => None,
            Some(name) => Some(Credential::named(name).ok_or_else(Problem::invalid_request)?),
        };
        caller.may_ask_for(&target.provider)?;
        let rule = self.rule(&target.provider, &parts.method, &target, credential);
        let rule = rule.ok_or_else(Problem::target_forbidden)?;
        let url = rule.url(&target).ok_or_else(Problem::invalid_request)?;
        let permit = self.permit(&caller)?;
        let (sent, received) = (Progress::new(), Progress::new());
        let length = body.size_hint().exact();
        let mut sending = self.request_body(body, &sent).await?;
        let mut request =
            TokenRequest { provider: target.provider.clone(), account, ..TokenRequest::default() };
        let mut headers = to_service(&parts.headers, &self.naming);
        frame(&mut headers, length, &parts.method, &parts.headers);
        let (token, account) = token(custodian, &caller, &request, rule.credential()).await?;
        // Whatever is connected meanwhile, a second try is for the same account.
        request.account = Some(account.to_string());
        let mut audit = Audit {
            caller,
            provider: target.provider,
            origin: rule.origin(),
            method: parts.method.clone(),
            status: 0,
            sent: Arc::clone(&sent),
            received: Arc::clone(&received),
        };
        let mut call = Call { through: self, rule, url, method: parts.method, headers, sent };
        let mut answer = call.send(&token, &mut sending).await?;
        if answer.status() == StatusCode::UNAUTHORIZED && matches!(sending, RequestBody::Buffered(_)) {
            request.rejected = Some(TokenHash(hash_of(&token).0));
            match self::token(custodian, &audit.caller, &request, rule.credential()).await {
                Ok((fresh, _)) if fresh.expose() != token.expose() => {
                    answer = call.send(&fresh, &mut sending).await?;
                }
                // The token was not renewed, so the response of the service is forwarded.
                Ok(_) => {}
                Err(problem) if problem.code() == "reauth_required" => return Err(problem),
                Err(problem) => tracing::info!(code = problem.code(), "a refused token was not renewed"),
            }
        }
        audit.status = answer.status().as_u16();
        self.pass_on(answer, account, received, (audit, permit))
    }

    /// Buffers a short body; a longer one, or one of unknown length, is streamed.
    async fn request_body(&self, body: Body, sent: &Arc<Progress>) -> Result<RequestBody, Problem> {
        let limit = self.limits.request_bytes;
        if body.size_hint().lower() > limit {
            return Err(Problem::request_too_large());
        }
        let is_short = body.size_hint().exact().is_some_and(|length| length <= BUFFER_LIMIT);
        let limited = LimitedBody::new(body, limit, self.idle(), Arc::clone(sent), ());
        if !is_short {
            return Ok(RequestBody::Streamed(Some(Body::new(limited))));
        }
        limited.collect().await.map(|body| RequestBody::Buffered(body.to_bytes())).map_err(stopped)
    }

    fn pass_on(
        &self,
        answer: reqwest::Response,
        account: GrantId,
        received: Arc<Progress>,
        kept: (Audit, CallPermit),
    ) -> Result<Response, Problem> {
        let status = answer.status();
        let limit = self.limits.response_bytes;
        if status.is_informational() || answer.content_length().is_some_and(|length| length > limit) {
            return Err(Problem::target_misbehaved());
        }
        let mut headers = to_caller(answer.headers(), account);
        let is_head = kept.0.method == Method::HEAD;
        if is_head && let Some(length) = length_of_get(status, answer.headers()) {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        let body = LimitedBody::new(reqwest::Body::from(answer), limit, self.idle(), received, kept);
        // A stream has no length of its own, so the Content-Length of the response to HEAD is kept.
        let body = if is_head { Body::from_stream(body.into_data_stream()) } else { Body::new(body) };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn idle(&self) -> Duration {
        Duration::from_secs(self.limits.idle_seconds)
    }
}

/// A request that can be sent repeatedly.
struct Call<'a> {
    through: &'a Through,
    rule: &'a AllowRule,
    url: reqwest::Url,
    method: Method,
    headers: HeaderMap,
    sent: Arc<Progress>,
}

impl Call<'_> {
    async fn send(
        &mut self,
        token: &Secret,
        sending: &mut RequestBody,
    ) -> Result<reqwest::Response, Problem> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| Problem::target_misbehaved())?;
        authorization.set_sensitive(true);
        let client = self.through.client(self.rule);
        let mut call = client.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        call = call.header(header::AUTHORIZATION, authorization);
        call = match sending {
            RequestBody::Buffered(bytes) if bytes.is_empty() => call,
            RequestBody::Buffered(bytes) => call.body(bytes.clone()),
            RequestBody::Streamed(body) => {
                let body = body.take().ok_or_else(Problem::target_misbehaved)?;
                call.body(reqwest::Body::wrap_stream(body.into_data_stream()))
            }
        };
        let timeout = Duration::from_secs(self.through.limits.answer_seconds);
        // A stalled request body has its own time-out, so it is added here.
        let idle = self.through.idle();
        let timeout_now = || if self.sent.is_whole() { timeout } else { timeout + idle };
        let began = tokio::time::Instant::now();
        let mut sent = std::pin::pin!(call.send());
        loop {
            // The time-out restarts with each part of the body that is sent.
            let until = self.sent.moved_at().max(began) + timeout_now();
            tokio::select! {
                answer = &mut sent => return answer.map_err(|error| self.failed(&error)),
                () = tokio::time::sleep_until(until) => {
                    if self.sent.moved_at().max(began) + timeout_now() <= tokio::time::Instant::now() {
                        let origin = self.rule.origin();
                        tracing::info!(
                            origin,
                            cause = TransportFailure::Timeout.name(),
                            "no answer of a service"
                        );
                        return Err(Problem::target_unavailable());
                    }
                }
            }
        }
    }

    fn failed(&self, error: &reqwest::Error) -> Problem {
        if let Some(why) = self.sent.stopped() {
            return stopped(why);
        }
        if is_refused(error) {
            tracing::warn!(origin = self.rule.origin(), "a name has an address that is not allowed");
            return Problem::target_forbidden();
        }
        tracing::info!(
            origin = self.rule.origin(),
            is_connect = error.is_connect(),
            cause = TransportFailure::of(error).name(),
            "no answer of a service"
        );
        Problem::target_unavailable()
    }
}

/// The token to send, and whose it is.
async fn token(
    custodian: &Arc<Custodian>,
    caller: &Caller,
    request: &TokenRequest,
    credential: Credential,
) -> Result<(Secret, GrantId), Problem> {
    let request = TokenRequest { credential: credential.into(), ..request.clone() };
    let issued = custodian.token(&caller.tenant, &caller.user, &request).await?;
    let token = match credential {
        Credential::IdToken => issued.id_token.ok_or_else(Problem::id_token_missing)?.0,
        Credential::AccessToken => issued.access,
    };
    Ok((token, issued.row.id))
}

fn stopped(why: BodyError) -> Problem {
    match why {
        BodyError::TooLong => Problem::request_too_large(),
        BodyError::Idle | BodyError::CutOff => Problem::request_incomplete(),
    }
}

/// The value of a header that may occur once.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| !text.is_empty() && text.len() <= 256);
    match (text, values.next()) {
        (Some(text), None) => Ok(Some(text)),
        _ => Err(Problem::invalid_request()),
    }
}
