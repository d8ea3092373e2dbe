//! Everything together, moved by events and a virtual clock.

use std::collections::VecDeque;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};
use tokentoss_core::flow::{Flow, Input, Output, Phase, RequestId, Status, WindowId};
use tokentoss_core::token_endpoint::TokenEndpointAnswer;
use tokentoss_core::{Error, Secret, Ticket, Timestamp};

use crate::browser::{Browser, Place};
use crate::kernel::{Kernel, LISTENER};
use crate::provider::{Answer, Provider, User};

/// When the simulated world begins.
pub const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// More steps than any sign-in takes; reaching them is a livelock.
const STEP_LIMIT: usize = 500;

/// A page, its provider and its kernel.
pub struct World {
    /// The page's clock.
    pub now: Timestamp,
    /// The provider's clock, when it differs.
    pub provider_now: Option<Timestamp>,
    /// The flow under test.
    pub flow: Flow,
    /// The browser.
    pub browser: Browser,
    /// The provider.
    pub provider: Provider,
    /// The kernel.
    pub kernel: Kernel,
    /// What the user does in the popup.
    pub user: User,
    /// Everything the view was told, in order.
    pub shown: Vec<Status>,
    /// Envelopes that wait for the kernel's main thread.
    pub in_trait: VecDeque<String>,
    /// How often an envelope was put into the trait.
    pub deliveries: usize,
    /// Inputs that were dropped, with the reason.
    pub dropped: Vec<Error>,
    events: VecDeque<Input>,
    /// What `window.open` returned, in the same call stack.
    popup_result: Option<Input>,
    rng: ChaCha20Rng,
}

impl World {
    /// An honest world at rest.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A world whose kernel is changed before the ticket is read.
    ///
    /// # Panics
    /// When the ticket is not valid.
    pub fn with(change: impl FnOnce(&mut Kernel)) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut kernel = Kernel::new(&mut rng);
        change(&mut kernel);
        let ticket = Ticket::from_json(&kernel.ticket().to_string()).expect("a valid ticket");
        let mut world = Self {
            now: START,
            provider_now: None,
            flow: Flow::new(ticket),
            browser: Browser::default(),
            provider: Provider::default(),
            kernel,
            user: User::Accepts,
            shown: Vec::new(),
            in_trait: VecDeque::new(),
            deliveries: 0,
            dropped: Vec::new(),
            events: VecDeque::new(),
            popup_result: None,
            rng,
        };
        world.perform();
        world
    }

    /// A world in which the user has reached the provider's pages and waits there.
    pub fn at_provider() -> Self {
        let mut world = Self::new();
        world.user = User::Waits;
        world.input(Input::SignIn);
        world.settle();
        assert_eq!(world.phase(), Phase::Waiting);
        world
    }

    /// Passes an input and performs what follows from it at once.
    pub fn input(&mut self, input: Input) {
        let mut next = Some(input);
        while let Some(input) = next {
            if let Err(error) = self.flow.handle(self.now, input, &mut self.rng) {
                self.dropped.push(error);
            }
            self.perform();
            next = self.popup_result.take();
        }
    }

    /// A message event.
    pub fn message(&mut self, origin: &str, source: Option<WindowId>, text: &str) {
        self.input(Input::Message { origin: origin.to_owned(), source, text: text.to_owned() });
    }

    /// A callback message from the popup's callback page.
    pub fn callback_message(&mut self, query: &str) {
        let window = self.popup();
        let text = json!({"type": "callback", "query": query}).to_string();
        self.message(LISTENER, Some(window), &text);
    }

    /// The query of an honest callback for the latest authorization request.
    ///
    /// # Panics
    /// When there was none.
    pub fn honest_callback(&mut self) -> String {
        let url = self.provider.authorization_requests.last().expect("an authorization request").clone();
        let query = self.provider.authorize(&url, User::Accepts).expect("an answer");
        self.provider.authorization_requests.pop();
        query
    }

    /// The window that was opened last.
    ///
    /// # Panics
    /// When none was opened.
    pub fn popup(&self) -> WindowId {
        self.browser.windows.last().expect("a window").id
    }

    /// Where the sign-in stands.
    pub fn phase(&self) -> Phase {
        self.flow.status().phase
    }

    /// The code of what the view says went wrong.
    pub fn problem(&self) -> Option<&str> {
        self.flow.status().problem.as_ref().map(|problem| problem.code())
    }

    /// Lets the next thing happen; false when nothing is due by itself.
    pub fn step(&mut self) -> bool {
        if let Some(event) = self.events.pop_front() {
            self.input(event);
            return true;
        }
        if !self.kernel.busy
            && let Some(envelope) = self.in_trait.pop_front()
        {
            self.kernel_takes(&envelope);
            return true;
        }
        false
    }

    /// Goes on until nothing happens by itself; timers do not run.
    pub fn settle(&mut self) {
        for _ in 0..STEP_LIMIT {
            if !self.step() {
                return;
            }
        }
        panic!("the world does not come to rest: {:?}", self.flow.status());
    }

    /// Moves the clock on and fires every timer that is due, settling in between.
    pub fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..STEP_LIMIT {
            self.settle();
            match self.flow.next_timer() {
                Some(due) if due <= end => {
                    self.now = self.now.max(due);
                    self.input(Input::TimerFired);
                }
                _ => break,
            }
        }
        self.now = end;
        self.settle();
    }

    /// Signs in from a click to the end.
    pub fn sign_in(&mut self) {
        self.input(Input::SignIn);
        self.settle();
    }

    /// A start page that was opened by hand.
    pub fn follow_link(&mut self) {
        self.input(Input::LinkFollowed);
        let window = self.browser.open(Place::StartPage);
        self.queue_message(window, &json!({"type": "ready"}));
    }

    fn kernel_takes(&mut self, envelope: &str) {
        if self.kernel.take(envelope) {
            let ticket_id = self.kernel.ticket_id().to_owned();
            self.events.push_back(Input::Acknowledged { ticket_id, refusal: None });
        }
    }

    fn perform(&mut self) {
        while let Some(output) = self.flow.poll() {
            match output {
                Output::Listen => self.browser.listening = true,
                Output::StopListening => self.browser.listening = false,
                Output::OpenPopup { url } => self.open_popup(&url),
                Output::Post { window, target_origin, message } => {
                    self.post(window, &target_origin, message.expose());
                }
                Output::CloseWindow { window } => *self.browser.place(window) = Place::Closed,
                Output::Exchange { request, token_request } => {
                    assert_eq!(token_request.url, "https://as.example/token", "C41");
                    let authorization = token_request.authorization.as_ref().map(Secret::expose);
                    self.exchange(request, authorization, token_request.body.expose());
                }
                Output::AbortExchange => {
                    let running =
                        |event: &Input| !matches!(event, Input::Answered { .. } | Input::Unanswered { .. });
                    self.events.retain(running);
                }
                Output::Deliver { envelope } => {
                    self.deliveries += 1;
                    self.in_trait.push_back(envelope);
                }
                Output::Status(status) => self.shown.push(status),
            }
        }
    }

    fn open_popup(&mut self, url: &str) {
        assert!(self.browser.listening, "the listener comes before the popup");
        assert_eq!(url, format!("{LISTENER}/tokentoss/start"));
        if self.browser.blocks_popups {
            self.popup_result = Some(Input::PopupBlocked);
            return;
        }
        let place = if self.kernel.listening { Place::StartPage } else { Place::ErrorPage };
        let window = self.browser.open(place);
        self.popup_result = Some(Input::PopupOpened { window });
        if self.kernel.listening {
            self.queue_message(window, &json!({"type": "ready"}));
        }
    }

    fn queue_message(&mut self, window: WindowId, message: &Value) {
        self.events.push_back(Input::Message {
            origin: LISTENER.to_owned(),
            source: Some(window),
            text: message.to_string(),
        });
    }

    fn post(&mut self, window: WindowId, target_origin: &str, message: &str) {
        assert_eq!(target_origin, LISTENER, "C14: one exact origin");
        let message: Value = serde_json::from_str(message).expect("JSON");
        match (self.browser.place(window).clone(), message["type"].as_str()) {
            (Place::StartPage, Some("start")) => {
                let answer = self.kernel.register(&message, &mut self.rng);
                self.queue_message(window, &answer);
                if answer["type"] == "registered" {
                    self.visit_provider(window, message["url"].as_str().expect("a URL"));
                }
            }
            (Place::CallbackPage(_), Some("envelope")) if !self.browser.severs_openers => {
                let taken = self.kernel.take(message["sealed"].as_str().expect("an envelope"));
                let code = if taken { "" } else { "ticket_unknown" };
                self.queue_message(window, &json!({"type": "delivered", "code": code}));
            }
            _ => {}
        }
    }

    fn visit_provider(&mut self, window: WindowId, url: &str) {
        *self.browser.place(window) = Place::Provider;
        if self.browser.severs_openers || self.user == User::Closes {
            self.events.push_back(Input::WindowClosed { window });
        }
        let Some(query) = self.provider.authorize(url, self.user) else { return };
        *self.browser.place(window) = Place::CallbackPage(query.clone());
        if self.browser.severs_openers {
            let sealed = self.kernel.relay(&query, &mut self.rng);
            self.events.push_back(Input::Relayed { sealed });
        } else {
            self.queue_message(window, &json!({"type": "callback", "query": query}));
        }
    }

    fn exchange(&mut self, request: RequestId, authorization: Option<&str>, body: &str) {
        let now = self.provider_now.unwrap_or(self.now);
        let answer = self.provider.token(authorization, body, now);
        match (answer, &self.provider.answer) {
            (Some((status, body)), _) => {
                let answer = TokenEndpointAnswer { status, body: Secret::new(body) };
                self.events.push_back(Input::Answered { request, answer });
            }
            (None, Answer::Silent) => {}
            (None, _) => self.events.push_back(Input::Unanswered { request }),
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
