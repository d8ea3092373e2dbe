//! Everything together, moved by events and a virtual clock.

use std::collections::VecDeque;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::json;
use tokentoss_core::flow::{Flow, Input, Phase, Status, Way, WindowId};
use tokentoss_core::{Error, Secret, Ticket, Timestamp};

use crate::browser::{Browser, Place};
use crate::kernel::{Kernel, LISTENER, PAGE, ToKernel};
use crate::provider::{Provider, User};

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
    /// Messages that wait for the kernel's main thread.
    pub to_kernel: VecDeque<ToKernel>,
    /// The origin of the static callback page; empty when there is none.
    pub callback_origin: String,
    /// The envelope that stands in the trait.
    pub envelope: String,
    /// Everything that page and kernel said over the comm, as everybody who listens to it sees it.
    pub comm: Vec<String>,
    /// Every message that the page posted to a window.
    pub posted: Vec<String>,
    /// Every message that a start page or a callback page sent to the page.
    pub heard: Vec<String>,
    /// What the fragment of the latest start page says.
    pub start_fragment: String,
    pub(crate) events: VecDeque<Input>,
    /// What `window.open` returned, in the same call stack.
    pub(crate) popup_result: Option<Input>,
    pub(crate) rng: ChaCha20Rng,
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
        Self::on_page(PAGE, change)
    }

    /// A world whose notebook page is of another origin.
    ///
    /// # Panics
    /// When the ticket is not valid.
    pub fn on_page(origin: &str, change: impl FnOnce(&mut Kernel)) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut kernel = Kernel::new(&mut rng);
        change(&mut kernel);
        let ticket = Ticket::from_json(&kernel.ticket().to_string(), origin).expect("a valid ticket");
        let callback_origin = ticket.callback_page().map(|page| page.url.origin().to_owned());
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
            to_kernel: VecDeque::new(),
            callback_origin: callback_origin.unwrap_or_default(),
            posted: Vec::new(),
            heard: Vec::new(),
            start_fragment: String::new(),
            envelope: String::new(),
            comm: Vec::new(),
            events: VecDeque::new(),
            popup_result: None,
            rng,
        };
        world.perform();
        world.input(Input::Connected);
        world.settle();
        world
    }

    /// A world in which the user has reached the provider's pages and waits there.
    pub fn at_provider() -> Self {
        Self::new().going_to_provider()
    }

    /// The same for a browser that does not reach the listener, which found that out.
    pub fn steered(change: impl FnOnce(&mut Kernel)) -> Self {
        let mut world = Self::with(change);
        world.kernel.reachable = false;
        let mut world = world.going_to_provider();
        world.pass(Duration::from_secs(1));
        world
    }

    /// A world in which the tokens are on their way to a kernel that does not take them yet.
    pub fn handing_over() -> Self {
        let mut world = Self::new();
        world.browser.severs_openers = true;
        world.kernel.busy = true;
        world.sign_in();
        assert_eq!(world.phase(), Phase::HandingOver);
        world
    }

    /// Clicks, with a user who stays at the provider's pages.
    pub fn going_to_provider(mut self) -> Self {
        self.user = User::Waits;
        self.input(Input::SignIn);
        self.settle();
        assert_eq!(self.phase(), Phase::Waiting);
        self
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
        self.input(Input::Message { origin: origin.to_owned(), source, text: text.to_owned().into() });
    }

    /// A callback message from the popup's callback page.
    pub fn callback_message(&mut self, query: &str) {
        let window = self.popup();
        let text = json!({"type": "callback", "query": query}).to_string();
        self.message(LISTENER, Some(window), &text);
    }

    /// Pastes a text.
    pub fn paste(&mut self, text: &str) {
        self.input(Input::Pasted { text: Secret::new(text.to_owned()) });
    }

    /// The address to which an honest provider would send the latest authorization request back.
    ///
    /// # Panics
    /// When there was none.
    pub fn honest_address(&mut self) -> String {
        let redirect_uri = self.redirect_uri();
        let query = self.honest_callback();
        format!("{redirect_uri}?{query}")
    }

    /// The redirect address of the latest authorization request.
    ///
    /// # Panics
    /// When there was none.
    pub fn redirect_uri(&self) -> String {
        let url = self.provider.authorization_requests.last().expect("an authorization request");
        let query = url.split_once('?').expect("a query").1;
        let given = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "redirect_uri");
        given.expect("a redirect address").1.to_string()
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

    /// The code of what is wrong with the pasted address.
    pub fn paste_problem(&self) -> Option<&str> {
        self.flow.status().paste_problem.as_ref().map(|error| error.code().as_str())
    }

    /// The way that the view was told.
    pub fn way(&self) -> Option<Way> {
        self.flow.status().way
    }

    /// The page's clock is set to another time, forwards or back.
    pub fn jump(&mut self, seconds: i64) {
        let millis = seconds.unsigned_abs() * 1000;
        let now = self.now.as_millis();
        self.now =
            Timestamp::from_millis(if seconds < 0 { now.saturating_sub(millis) } else { now + millis });
    }

    /// Lets the next thing happen; false when nothing is due by itself.
    pub fn step(&mut self) -> bool {
        if let Some(event) = self.events.pop_front() {
            self.input(event);
            return true;
        }
        if self.kernel.busy {
            return false;
        }
        if let Some(message) = self.to_kernel.pop_front() {
            self.kernel_handles(message);
            return true;
        }
        if let Some(envelope) = self.in_trait.pop_front() {
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

    /// The machine sleeps: on waking the clock has jumped, and a timer that came due meanwhile fires once.
    pub fn sleep(&mut self, duration: Duration) {
        self.now = self.now + duration;
        if self.flow.next_timer().is_some_and(|due| due <= self.now) {
            self.input(Input::TimerFired);
        }
        self.settle();
    }

    /// Signs in from a click to the end.
    pub fn sign_in(&mut self) {
        self.input(Input::SignIn);
        self.settle();
    }

    /// The link is opened by hand, in this browser.
    pub fn follow_link(&mut self) {
        self.input(Input::LinkFollowed);
        let Some(link) = self.flow.status().link.clone() else { return };
        let window = self.browser.open(Place::ErrorPage);
        self.navigate(window, &link);
    }

    /// A window that is open already goes to a link.
    pub fn open_link_in(&mut self, window: WindowId, link: &str) {
        self.navigate(window, link);
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
