//! What a flow asks for, done to the simulated browser, provider and kernel.

use std::mem;

use serde_json::{Value, json};
use tokentoss_core::Secret;
use tokentoss_core::flow::{Input, KernelRefusal, Output, Phase, RequestId, WindowId};
use tokentoss_core::form_request::EndpointAnswer;

use crate::browser::Place;
use crate::endpoint::Answer;
use crate::kernel::{Channel, LISTENER, Registration, Taken, ToKernel};
use crate::provider::User;
use crate::world::World;

const DEVICE_ENDPOINT: &str = "https://as.example/device_authorization";

impl World {
    pub(crate) fn perform(&mut self) {
        while let Some(output) = self.flow.poll() {
            match output {
                Output::Listen => self.browser.listening = true,
                Output::OpenChannel { name } => self.browser.channel = Some(name.expose().to_owned()),
                Output::StopListening => {
                    self.browser.listening = false;
                    self.browser.channel = None;
                }
                Output::OpenPopup { url } => self.open_popup(url.expose()),
                // A severed window is out of the page's hands.
                Output::Navigate { .. } | Output::CloseWindow { .. } if self.browser.severs_popups => {}
                Output::Navigate { window, url } => self.navigate(window, url.expose()),
                Output::Post { window, target_origin, message } => {
                    self.post(window, &target_origin, message.expose());
                }
                Output::Broadcast { message } => self.broadcast(message.expose()),
                Output::Introduce { ticket, key, origin } => {
                    let message = json!({"ticket": ticket, "key": key, "origin": origin});
                    self.comm.push(message.to_string());
                    self.to_kernel.push_back(ToKernel::Introduce(message));
                }
                Output::Register { ticket, sealed, key } => {
                    let message = json!({"ticket": ticket, "sealed": sealed, "key": key});
                    self.comm.push(message.to_string());
                    self.to_kernel.push_back(ToKernel::Register(message));
                }
                Output::CloseWindow { window } => *self.browser.place(window) = Place::Closed,
                Output::Probe { form } => {
                    if let Some(readable) = self.provider.probe(form.body.expose()) {
                        self.events.push_back(Input::Probed { readable });
                    }
                }
                Output::Send { request, form } => {
                    let authorization = form.authorization.as_ref().map(Secret::expose);
                    let body = form.body.expose();
                    match form.url.as_str() {
                        "https://as.example/token" => self.ask_for_tokens(request, authorization, body),
                        DEVICE_ENDPOINT => self.ask_for_code(request, body),
                        other => panic!("a request to an unexpected endpoint: {other} (C41)"),
                    }
                }
                Output::AbortRequest => {
                    let running =
                        |event: &Input| !matches!(event, Input::Answered { .. } | Input::Unanswered { .. });
                    self.events.retain(running);
                }
                Output::Deliver { envelope } => {
                    self.deliveries += 1;
                    self.comm.push(envelope.clone());
                    self.envelope.clone_from(&envelope);
                    self.in_trait.push_back(envelope);
                }
                Output::ClearEnvelope => self.envelope.clear(),
                Output::AskKernelForCode => {
                    self.kernel.asked_for_code += 1;
                    self.to_kernel.push_back(ToKernel::AskForCode);
                }
                Output::DropKernelCode => self.to_kernel.push_back(ToKernel::DropCode),
                Output::Status(status) => {
                    match status.phase {
                        Phase::Code => self.kernel.page_shows_code = status.code.is_some(),
                        Phase::HandingOver => {}
                        _ => self.kernel.page_shows_code = false,
                    }
                    self.shown.push(status);
                }
            }
        }
    }

    pub(crate) fn kernel_handles(&mut self, message: ToKernel) {
        match message {
            ToKernel::Introduce(message) => {
                if let Some((key, sealed)) = self.kernel.introduce(&message, &mut self.rng) {
                    self.comm.push(sealed.clone());
                    self.events.push_back(Input::Introduced { key, sealed });
                }
            }
            ToKernel::Register(message) => self.kernel_registers(&message),
            ToKernel::AskForCode => {
                let event = self.kernel.ask_for_code();
                self.events.push_back(event);
            }
            ToKernel::DropCode => {
                if mem::take(&mut self.kernel.shows_code) {
                    self.events.push_back(Input::KernelCodeEnded);
                }
            }
        }
    }

    fn kernel_registers(&mut self, message: &Value) {
        let (key, sealed) = self.kernel.register_by_message(message, &mut self.rng);
        self.comm.push(sealed.clone());
        self.events.push_back(Input::Registered { key, sealed });
        self.start_pages_ask();
    }

    /// Every start page that was cut off asks its own listener where to go on, as it does again and again.
    fn start_pages_ask(&mut self) {
        for window in self.browser.windows.clone() {
            if let (Place::StartPage(fragment), true) = (window.place, self.browser.severs_popups)
                && let Some(url) = self.kernel.address_for(&fragment)
            {
                self.reach_provider(window.id, &url);
            }
        }
    }

    pub(crate) fn kernel_takes(&mut self, envelope: &str) {
        if let Some(code) = self.kernel_decides(envelope, Channel::Comm) {
            let refusal = (!code.is_empty()).then(|| KernelRefusal { message: format!("{code}."), code });
            let ticket_id = self.kernel.ticket_id().to_owned();
            self.events.push_back(Input::Acknowledged { ticket_id, refusal });
        }
    }

    /// The kernel's decision on an envelope: empty for tokens that it kept, `None` for an envelope it does not take.
    fn kernel_decides(&mut self, envelope: &str, channel: Channel) -> Option<String> {
        match self.kernel.take(envelope, channel) {
            Taken::Nothing => None,
            Taken::ProofMismatch => Some("proof_mismatch".into()),
            Taken::Tokens => Some(String::new()),
            Taken::Code(form) => match self.provider.token(None, &form, self.now) {
                Some((200, body)) => {
                    self.kernel.keep(&body);
                    Some(String::new())
                }
                Some(_) => Some("invalid_grant".into()),
                None => Some("token_endpoint_unreachable".into()),
            },
        }
    }

    fn open_popup(&mut self, url: &str) {
        assert!(self.browser.listening, "the listener comes before the popup");
        if self.browser.blocks_popups {
            self.popup_result = Some(Input::PopupBlocked);
            return;
        }
        let window = self.browser.open(Place::ErrorPage);
        self.popup_result = Some(Input::PopupOpened { window });
        self.navigate(window, url);
    }

    /// A window goes to an address: the start page's or the provider's, nothing else is ever opened.
    pub(crate) fn navigate(&mut self, window: WindowId, url: &str) {
        if *self.browser.place(window) == Place::Closed {
            return;
        }
        let Some(fragment) = url.strip_prefix(&format!("{LISTENER}/tokentoss/start#")) else {
            self.reach_provider(window, url);
            return;
        };
        self.start_fragment = fragment.to_owned();
        if self.browser.severs_popups {
            self.events.push_back(Input::WindowClosed { window });
        }
        if self.kernel.listening && self.kernel.reachable {
            *self.browser.place(window) = Place::StartPage(fragment.to_owned());
            if !self.browser.severs_popups {
                self.queue_message(LISTENER, window, &json!({"type": "ready"}));
            }
            self.start_pages_ask();
        }
    }

    pub(crate) fn queue_message(&mut self, origin: &str, window: WindowId, message: &Value) {
        let text = message.to_string();
        self.heard.push(text.clone());
        self.events.push_back(Input::Message {
            origin: origin.to_owned(),
            source: Some(window),
            text: text.into(),
        });
    }

    fn post(&mut self, window: WindowId, target_origin: &str, message: &str) {
        self.posted.push(message.to_owned());
        let message: Value = serde_json::from_str(message).expect("JSON");
        let place = self.browser.place(window).clone();
        let origin = match place {
            _ if self.browser.severs_popups => return,
            Place::StartPage(_) | Place::CallbackPage(_) => LISTENER,
            Place::StaticPage(_) => &self.callback_origin,
            _ => return,
        };
        if target_origin != origin {
            return;
        }
        match (place, message["type"].as_str()) {
            (Place::StartPage(fragment), Some("start")) => {
                let origin = self.flow.ticket().page_origin().to_owned();
                self.start_page_receives(window, &fragment, &origin, &message);
            }
            (Place::CallbackPage(_), Some("envelope")) if !self.browser.severs_openers => {
                let decided =
                    self.kernel_decides(message["sealed"].as_str().expect("an envelope"), Channel::Listener);
                let code = decided.unwrap_or_else(|| "ticket_unknown".into());
                self.queue_message(LISTENER, window, &json!({"type": "delivered", "code": code}));
            }
            (Place::StaticPage(_), Some("done")) if !self.browser.severs_openers => {
                *self.browser.place(window) = Place::Closed;
            }
            _ => {}
        }
    }

    /// A start page gets a `start` of a page of some origin: it takes the first whose ticket and key its own fragment names.
    pub fn start_page_receives(&mut self, window: WindowId, fragment: &str, origin: &str, start: &Value) {
        let text = |name: &str| start[name].as_str().unwrap_or_default();
        let addressed = fragment == format!("{}.{}", text("ticket"), text("key"));
        if !addressed || self.browser.confirming.is_some() {
            self.browser.ignored_starts += 1;
            return;
        }
        self.register_at_listener(window, origin, start, None);
    }

    fn register_at_listener(
        &mut self,
        window: WindowId,
        origin: &str,
        start: &Value,
        confirmed: Option<&str>,
    ) {
        match self.kernel.register(start, origin, confirmed, &mut self.rng) {
            Registration::Registered { url, answer } => {
                self.answer_opener(window, origin, &json!({"type": "registered", "answer": answer}));
                self.reach_provider(window, &url);
            }
            Registration::Confirm(token) => {
                self.answer_opener(window, origin, &json!({"type": "confirming"}));
                self.browser.confirming = Some((window, origin.to_owned(), start.clone(), token));
            }
            Registration::Refused(code) => {
                self.answer_opener(window, origin, &json!({"type": "refused", "code": code}));
            }
        }
    }

    /// What the start page says to the page of this origin; the flow's own page hears it only if it is that.
    fn answer_opener(&mut self, window: WindowId, origin: &str, message: &Value) {
        if origin == self.flow.ticket().page_origin() {
            self.queue_message(LISTENER, window, message);
        }
    }

    /// The user answers the start page's question.
    ///
    /// # Panics
    /// When none is asked.
    pub fn confirm(&mut self, yes: bool) {
        let (window, origin, start, token) = self.browser.confirming.take().expect("a question");
        if yes {
            self.register_at_listener(window, &origin, &start, Some(&token));
        } else {
            self.answer_opener(window, &origin, &json!({"type": "refused", "code": "page_refused"}));
        }
        self.settle();
    }

    /// A broadcast closes the static callback pages of this origin.
    fn broadcast(&mut self, message: &str) {
        assert!(self.browser.channel.is_some(), "a channel is open");
        assert_eq!(message, r#"{"type":"done"}"#);
        self.browser.broadcasts.push(message.to_owned());
        for window in &mut self.browser.windows {
            if matches!(window.place, Place::StaticPage(_)) {
                window.place = Place::Closed;
            }
        }
    }

    /// The user arrives at the provider and does what [`World::user`] says.
    pub fn reach_provider(&mut self, window: WindowId, url: &str) {
        *self.browser.place(window) = Place::Provider;
        if self.browser.severs() || self.user == User::Closes {
            self.events.push_back(Input::WindowClosed { window });
        }
        let Some(query) = self.provider.authorize(url, self.user) else { return };
        let redirect_uri = self.redirect_uri();
        self.browser.address = format!("{redirect_uri}?{query}");
        let message = json!({"type": "callback", "query": query});
        if !redirect_uri.starts_with(LISTENER) {
            assert!(
                redirect_uri.starts_with(&self.callback_origin),
                "the redirect URI is the registered one (C9)"
            );
            *self.browser.place(window) = Place::StaticPage(query);
            // The page uses the channel of its own state (C20); there may be no listener any more.
            let named = |name: &String| url.contains(&format!("state={}", &name["tokentoss/".len()..]));
            if self.browser.channel.as_ref().is_some_and(named) {
                self.events.push_back(Input::Broadcast { text: message.to_string().into() });
            }
            if !self.browser.severs() {
                let origin = self.callback_origin.clone();
                self.queue_message(&origin, window, &message);
            }
            return;
        }
        let served = self.kernel.listening && self.kernel.reachable && self.kernel.expects(&query);
        if !served {
            *self.browser.place(window) = Place::ErrorPage;
            return;
        }
        *self.browser.place(window) = Place::CallbackPage(query.clone());
        if self.browser.severs() || !self.kernel.knows_origin() {
            let sealed = self.kernel.relay(&query, &mut self.rng);
            self.events.push_back(Input::Relayed { sealed });
        } else {
            self.queue_message(LISTENER, window, &message);
        }
    }

    fn ask_for_tokens(&mut self, request: RequestId, authorization: Option<&str>, body: &str) {
        let now = self.provider_now.unwrap_or(self.now);
        let answer = self.provider.token(authorization, body, now);
        let silent = matches!(self.provider.answer, Answer::Silent);
        self.answer(request, answer, silent);
    }

    fn ask_for_code(&mut self, request: RequestId, body: &str) {
        let answer = self.provider.authorize_device(body);
        let silent = matches!(self.provider.device.answer, Answer::Silent);
        self.answer(request, answer, silent);
    }

    fn answer(&mut self, request: RequestId, answer: Option<(u16, String)>, silent: bool) {
        match answer {
            Some((status, body)) => {
                let answer = EndpointAnswer { status, body: Secret::new(body) };
                self.events.push_back(Input::Answered { request, answer });
            }
            None if silent => {}
            None => self.events.push_back(Input::Unanswered { request }),
        }
    }
}
