//! The loop between a flow and the browser.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::{Rc, Weak};

use getrandom::SysRng;
use js_sys::Function;
use tokentoss_core::flow::{Flow, Input, Output, RequestId, WindowId};
use tokentoss_core::form_request::{EndpointAnswer, FormRequest};
use wasm_bindgen::JsValue;
use web_sys::{MessageEvent, Window};

use crate::event::FlowEvent;
use crate::messages::{Channel, Messages};
use crate::popup::{self, Watch, Windows};
use crate::timer::{Timer, now};
use crate::token_endpoint::Post;

/// Feeds a flow and performs what it asks for.
///
/// The page's event function may call back into the sign-in: such inputs queue up and are taken in their turn, in the same
/// call stack. No borrow is held while foreign code runs.
pub(crate) struct Driver {
    this: Weak<Self>,
    flow: RefCell<Flow>,
    inputs: RefCell<VecDeque<Input>>,
    running: Cell<bool>,
    windows: RefCell<Windows>,
    handles: RefCell<Handles>,
    on_event: Function,
}

/// What ends when it is dropped.
#[derive(Default)]
struct Handles {
    messages: Option<Messages>,
    channel: Option<Channel>,
    watch: Option<Watch>,
    timer: Option<Timer>,
    request: Option<Post>,
    probe: Option<Post>,
}

impl Driver {
    pub(crate) fn new(flow: Flow, on_event: Function) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            flow: RefCell::new(flow),
            inputs: RefCell::default(),
            running: Cell::new(false),
            windows: RefCell::default(),
            handles: RefCell::default(),
            on_event,
        })
    }

    /// Takes in what happened and does what follows from it.
    pub(crate) fn feed(&self, input: Input) {
        self.inputs.borrow_mut().push_back(input);
        self.run();
    }

    /// Performs what the flow asks for until it and the inputs are at rest.
    pub(crate) fn run(&self) {
        if self.running.replace(true) {
            return;
        }
        loop {
            while let Some(output) = self.next_output() {
                self.perform(output);
            }
            let Some(input) = self.next_input() else { break };
            // A dropped input is none of this sign-in's business: a stranger's message, say.
            let _ = self.flow.borrow_mut().handle(now(), input, &mut SysRng);
        }
        self.set_timer();
        self.running.set(false);
    }

    fn next_output(&self) -> Option<Output> {
        self.flow.borrow_mut().poll()
    }

    fn next_input(&self) -> Option<Input> {
        self.inputs.borrow_mut().pop_front()
    }

    fn perform(&self, output: Output) {
        match output {
            Output::Listen => self.listen(),
            Output::OpenChannel { name } => self.open_channel(name.expose()),
            Output::StopListening => self.stop_listening(),
            Output::OpenPopup { url } => self.open_popup(url.expose()),
            Output::Navigate { window, url } => {
                if let Some(window) = self.window(window) {
                    popup::navigate(&window, url.expose());
                }
            }
            Output::Post { window, target_origin, message } => {
                if let Some(window) = self.window(window) {
                    popup::post(&window, message.expose(), &target_origin);
                }
            }
            Output::Broadcast { message } => {
                if let Some(channel) = &self.handles.borrow().channel {
                    channel.post(message.expose());
                }
            }
            Output::Introduce { ticket, key, origin } => {
                self.tell(&FlowEvent::Introduce { ticket, key, origin });
            }
            Output::Register { ticket, sealed, key } => {
                self.tell(&FlowEvent::Register { ticket, sealed, key });
            }
            Output::ClearEnvelope => self.tell(&FlowEvent::ClearEnvelope),
            Output::CloseWindow { window } => {
                if let Some(window) = self.window(window) {
                    let _ = window.close();
                }
            }
            Output::Probe { form } => self.probe(form),
            Output::Send { request, form } => self.send(request, form),
            Output::AbortRequest => drop(self.handles.borrow_mut().request.take()),
            Output::AskKernelForCode => self.tell(&FlowEvent::AskKernelForCode),
            Output::DropKernelCode => self.tell(&FlowEvent::DropKernelCode),
            Output::Deliver { envelope } => self.tell(&FlowEvent::Deliver { envelope }),
            Output::Status(status) => self.tell(&status.into()),
        }
    }

    fn window(&self, id: WindowId) -> Option<Window> {
        self.windows.borrow().get(id)
    }

    fn tell(&self, event: &FlowEvent) {
        // An exception of the page's function is the page's to see to; the sign-in goes on.
        let _ = self.on_event.call1(&JsValue::NULL, &event.to_js());
    }

    fn listen(&self) {
        let this = Weak::clone(&self.this);
        let messages = Messages::listen(move |event| {
            if let Some(driver) = this.upgrade() {
                driver.on_message(event);
            }
        });
        let this = Weak::clone(&self.this);
        let watch = Watch::new(move || {
            if let Some(driver) = this.upgrade() {
                driver.on_watch();
            }
        });
        let mut handles = self.handles.borrow_mut();
        handles.messages = messages;
        handles.watch = Some(watch);
    }

    fn open_channel(&self, name: &str) {
        let this = Weak::clone(&self.this);
        let channel = Channel::open(name, move |event| {
            if let (Some(driver), Some(text)) = (this.upgrade(), event.data().as_string()) {
                driver.feed(Input::Broadcast { text: text.into() });
            }
        });
        self.handles.borrow_mut().channel = channel;
    }

    fn stop_listening(&self) {
        self.windows.borrow_mut().forget();
        let mut handles = self.handles.borrow_mut();
        handles.messages = None;
        handles.channel = None;
        handles.watch = None;
    }

    fn on_message(&self, event: &MessageEvent) {
        let origin = event.origin();
        // Before anything else is looked at: a page may be flooded with messages that are none of ours.
        if !self.flow.borrow().expects_origin(&origin) {
            return;
        }
        let Some(text) = event.data().as_string() else { return };
        let source = event.source().map(|source| self.windows.borrow_mut().of_source(&source));
        self.feed(Input::Message { origin, source, text: text.into() });
    }

    fn on_watch(&self) {
        let closed = self.windows.borrow_mut().newly_closed();
        for window in closed {
            self.feed(Input::WindowClosed { window });
        }
    }

    fn open_popup(&self, url: &str) {
        let input = match popup::open(url) {
            Some(window) => Input::PopupOpened { window: self.windows.borrow_mut().add(window) },
            None => Input::PopupBlocked,
        };
        self.inputs.borrow_mut().push_back(input);
    }

    fn send(&self, request: RequestId, form: FormRequest) {
        let begun = self.post(form, move |answer| match answer {
            Some(answer) => Input::Answered { request, answer },
            None => Input::Unanswered { request },
        });
        if begun.is_none() {
            self.inputs.borrow_mut().push_back(Input::Unanswered { request });
        }
        self.handles.borrow_mut().request = begun;
    }

    fn probe(&self, form: FormRequest) {
        let begun = self.post(form, |answer| Input::Probed { readable: answer.is_some() });
        self.handles.borrow_mut().probe = begun;
    }

    fn post(
        &self,
        form: FormRequest,
        input_of: impl FnOnce(Option<EndpointAnswer>) -> Input + 'static,
    ) -> Option<Post> {
        let this = Weak::clone(&self.this);
        let on_end = Box::new(move |answer| {
            if let Some(driver) = this.upgrade() {
                driver.feed(input_of(answer));
            }
        });
        Post::begin(form, on_end).ok()
    }

    fn set_timer(&self) {
        let due = self.flow.borrow().next_timer();
        let set = self.handles.borrow().timer.as_ref().map(Timer::due);
        if due == set {
            return;
        }
        let timer = due.map(|due| {
            let this = Weak::clone(&self.this);
            Timer::new(due, move || {
                if let Some(driver) = this.upgrade() {
                    driver.on_timer();
                }
            })
        });
        self.handles.borrow_mut().timer = timer;
    }

    fn on_timer(&self) {
        // It has fired: a due moment that stays the same, because the clock was a moment early, needs a new one.
        drop(self.handles.borrow_mut().timer.take());
        self.feed(Input::TimerFired);
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
