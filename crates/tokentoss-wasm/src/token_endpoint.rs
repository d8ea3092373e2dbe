//! A request to an endpoint of the provider: one cross-origin POST, a simple one unless the client authenticates by a header, and its answer read up to a limit.

use js_sys::{JsString, Reflect, Uint8Array};
use tokentoss_core::Secret;
use tokentoss_core::form_request::{BODY_LIMIT, EndpointAnswer, FormRequest};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AbortController, AbortSignal, ReadableStreamDefaultReader, ReferrerPolicy, Request, RequestCache,
    RequestCredentials, RequestInit, RequestMode, RequestRedirect, Response, UrlSearchParams,
};
use zeroize::Zeroizing;

/// A request under way; dropped, it is aborted and its answer ignored.
#[derive(Debug)]
pub(crate) struct Post {
    abort: AbortController,
}

impl Post {
    /// Sends the request once; `on_end` gets the answer, or `None` when there is none to be had.
    ///
    /// # Errors
    /// What the browser throws when it cannot even make an `AbortController`.
    pub(crate) fn begin(
        request: FormRequest,
        // Not generic: the code of the future would be there once for each caller.
        on_end: Box<dyn FnOnce(Option<EndpointAnswer>)>,
    ) -> Result<Self, JsValue> {
        let abort = AbortController::new()?;
        let signal = abort.signal();
        spawn_local(async move {
            let answer = post(request, &signal).await;
            if !signal.aborted() {
                on_end(answer);
            }
        });
        Ok(Self { abort })
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

async fn post(request: FormRequest, signal: &AbortSignal) -> Option<EndpointAnswer> {
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_mode(RequestMode::Cors);
    options.set_credentials(RequestCredentials::Omit);
    options.set_redirect(RequestRedirect::Error);
    options.set_cache(RequestCache::NoStore);
    options.set_referrer_policy(ReferrerPolicy::NoReferrer);
    options.set_signal(Some(signal));
    // A form brings its content type along, so the request needs no header of ours for it.
    options.set_body(&UrlSearchParams::new_with_str(request.body.expose()).ok()?.into());
    // Not gloo-net's own builder, which takes the URL apart and puts it together again: an endpoint is used as given.
    let fetched = Request::new_with_str_and_init(&request.url, &options).ok()?;
    if let Some(authorization) = &request.authorization {
        // The one header that makes the browser ask the provider first (CORS preflight).
        fetched.headers().set("Authorization", authorization.expose()).ok()?;
    }
    let response = gloo_net::http::Request::from(fetched).send().await.ok()?;
    Some(EndpointAnswer { status: response.status(), body: read(&response.into()).await? })
}

/// The body, cut off one byte behind the limit; `None` when the connection broke.
async fn read(response: &Response) -> Option<Secret> {
    // As large as it can get, so that it never leaves a copy behind by growing.
    let mut body = Zeroizing::new(Vec::with_capacity(BODY_LIMIT.saturating_add(1)));
    if let Some(stream) = response.body() {
        let reader = ReadableStreamDefaultReader::new(&stream).ok()?;
        while let Some(chunk) = next_chunk(&reader).await? {
            let (start, room) = (body.len(), BODY_LIMIT.saturating_add(1).saturating_sub(body.len()));
            let piece = chunk.subarray(0, chunk.length().min(u32::try_from(room).unwrap_or(u32::MAX)));
            body.resize(start.saturating_add(piece.length() as usize), 0);
            if let Some(end) = body.get_mut(start..) {
                piece.copy_to(end);
            }
            chunk.fill(0, 0, chunk.length());
            if body.len() > BODY_LIMIT {
                // Ends the download of what is not read; nothing waits for it.
                let _ = reader.cancel();
                break;
            }
        }
    }
    Some(Secret::new(String::from_utf8_lossy(&body).into_owned()))
}

/// The next piece of the body, then `Some(None)`; `None` when the connection broke.
async fn next_chunk(reader: &ReadableStreamDefaultReader) -> Option<Option<Uint8Array>> {
    let read = JsFuture::from(reader.read()).await.ok()?;
    let chunk = Reflect::get(&read, &JsString::from("value")).ok()?;
    Some(chunk.dyn_into().ok())
}
