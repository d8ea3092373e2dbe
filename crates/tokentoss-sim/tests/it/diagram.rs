//! The state diagram in `docs/diagrams/sign_in_flow.md`, made from what the flow does.
//!
//! Every state is reached by a short play in the simulated world, and every kind of input is then tried on it, as it would
//! come from an honest world and in the forms that end a sign-in. With `UPDATE_DIAGRAMS=1` the file is written anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs};

use serde_json::json;
use tokentoss_core::Secret;
use tokentoss_core::flow::{Input, KernelRefusal, RequestId, ShownCode};
use tokentoss_core::form_request::EndpointAnswer;
use tokentoss_sim::{Answer, LISTENER, User, World};

/// The name of a state, and how it is reached.
type Play = (&'static str, fn() -> World);
/// The label in the diagram, and what happens.
type Happening = (&'static str, fn(&mut World));

/// The plays, by the state that each one reaches.
const PLAYS: [Play; 12] = [
    ("Ready", World::new),
    // Only the kernel can fetch tokens.
    ("Ready", || World::with(|kernel| kernel.ticket()["provider"]["token_endpoint_cors"] = json!(false))),
    ("Introducing", || {
        let mut world = World::new();
        world.input(Input::SignIn);
        world
    }),
    // The start page was answered, and the user is at the provider already.
    ("Introducing", || {
        let mut world = World::new();
        world.user = User::Waits;
        world.input(Input::SignIn);
        world.step();
        world
    }),
    ("AwaitingCallback", World::at_provider),
    // The kernel exchanges the authorization code.
    ("AwaitingCallback", || {
        World::with(|kernel| kernel.ticket()["exchange"] = json!("kernel")).going_to_provider()
    }),
    // Looks closed for so long that a click begins anew.
    ("AwaitingCallback", || {
        let mut world = World::at_provider();
        let window = world.popup();
        world.input(Input::WindowClosed { window });
        world.pass(Duration::from_secs(4));
        world
    }),
    ("Exchanging", || {
        let mut world = World::at_provider();
        world.provider.answer = Answer::Silent;
        let query = world.honest_callback();
        world.callback_message(&query);
        world
    }),
    ("AskingForCode", || {
        let mut world = World::new();
        world.provider.device.answer = Answer::Silent;
        world.input(Input::AskForCode);
        world
    }),
    ("AskingKernel", || {
        let mut world = World::new();
        let code = world.kernel.ask_for_code();
        world.input(code);
        world
    }),
    ("EnteringCode", || {
        let mut world = World::new();
        world.provider.answer = Answer::Silent;
        world.input(Input::AskForCode);
        world.settle();
        // A poll is under way.
        world.pass(Duration::from_secs(5));
        world
    }),
    ("HandingOver", || {
        let mut world = World::new();
        world.kernel.busy = true;
        world.browser.severs_openers = true;
        world.sign_in();
        world
    }),
];

/// What is tried on every state.
const EVENTS: [Happening; 22] = [
    ("SignIn", |world| world.input(Input::SignIn)),
    ("AskForCode", |world| world.input(Input::AskForCode)),
    ("PopupBlocked", |world| world.input(Input::PopupBlocked)),
    ("LinkFollowed", |world| world.input(Input::LinkFollowed)),
    ("LinkCopied", |world| world.input(Input::LinkCopied)),
    ("WindowClosed, Registered", |world| {
        if let Some(window) = world.browser.windows.last().map(|window| window.id) {
            world.input(Input::WindowClosed { window });
        }
        world.settle();
    }),
    ("Message registered of another program", |world| {
        message(world, r#"{"type":"ready"}"#, r#"{"type":"registered","answer":""}"#)
    }),
    ("Message refused", |world| message(world, r#"{"type":"ready"}"#, r#"{"type":"refused","code":"x"}"#)),
    ("Message delivered", |world| {
        message(world, r#"{"type":"ready"}"#, r#"{"type":"delivered","code":""}"#);
    }),
    ("authorization response", |world| callback(world, User::Accepts)),
    ("authorization response with an error", |world| callback(world, User::Declines)),
    ("Answered with tokens or a user code", |world| {
        let body = honest_body(world);
        answer(world, 200, &body);
    }),
    ("Answered with an error", |world| {
        answer(world, 400, r#"{"error":"invalid_grant"}"#);
    }),
    ("Unanswered", |world| {
        for request in 1..4 {
            world.input(Input::Unanswered { request: RequestId(request) });
        }
    }),
    ("TimerFired", |world| {
        // Until it leads somewhere: a timer may only send something again.
        for _ in 0..2000 {
            let before = world.flow.state_name();
            let Some(due) = world.flow.next_timer() else { return };
            world.now = world.now.max(due);
            world.input(Input::TimerFired);
            if world.flow.state_name() != before {
                return;
            }
        }
    }),
    ("KernelCodeShown", |world| {
        let code = ShownCode {
            user_code: "KERNEL-1".into(),
            verification_uri: "https://as.example/device".into(),
            page: "https://as.example/device".into(),
            expires_at: 1_800_000_600,
        };
        world.input(Input::KernelCodeShown { code });
    }),
    ("KernelCodeFailed", |world| {
        let refusal = KernelRefusal { code: "unauthorized_client".into(), message: "No codes here.".into() };
        world.input(Input::KernelCodeFailed { refusal });
    }),
    ("KernelCodeEnded", |world| world.input(Input::KernelCodeEnded)),
    ("Acknowledged", |world| {
        let ticket_id = world.kernel.ticket_id().to_owned();
        world.input(Input::Acknowledged { ticket_id, refusal: None });
    }),
    ("KernelLost", |world| world.input(Input::KernelLost)),
    ("Pasted", |world| {
        if !world.provider.authorization_requests.is_empty() {
            let address = world.honest_address();
            world.paste(&address);
        }
    }),
    ("Cancel", |world| world.input(Input::Cancel)),
];

fn message(world: &mut World, first: &str, second: &str) {
    let window = world.browser.windows.last().map(|window| window.id);
    for text in [first, second] {
        world.message(LISTENER, window, text);
    }
}

fn callback(world: &mut World, user: User) {
    let Some(url) = world.provider.authorization_requests.last().cloned() else { return };
    let query = world.provider.authorize(&url, user).expect("an answer");
    world.callback_message(&query);
}

/// Answers the request that is under way, whichever number it has.
fn answer(world: &mut World, status: u16, body: &str) {
    for request in 1..4 {
        let answer = EndpointAnswer { status, body: Secret::new(body.to_owned()) };
        world.input(Input::Answered { request: RequestId(request), answer });
    }
}

/// What the endpoint answers that the state is waiting for.
fn honest_body(world: &mut World) -> String {
    if world.flow.state_name() == "AskingForCode" {
        let endpoint = "https://as.example/device";
        return json!({"device_code": "d", "user_code": "U", "verification_uri": endpoint, "expires_in": 600})
            .to_string();
    }
    world.provider.answer = Answer::Honest;
    world.provider.device.entered = tokentoss_sim::Entered::Accepted;
    let form = world.provider.token_requests.last().map(|form| {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(form);
        pairs.finish()
    });
    let answer = form.and_then(|form| world.provider.token(None, &form, world.now));
    answer.map_or_else(|| "{}".to_owned(), |(_, body)| body)
}

fn diagram() -> String {
    let mut labels: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for (state, play) in PLAYS {
        assert_eq!(play().flow.state_name(), state, "the play reaches its state");
        for (label, event) in EVENTS {
            let mut world = play();
            event(&mut world);
            let next = world.flow.state_name();
            if next != state {
                labels.entry((state, next)).or_default().insert(label);
            }
        }
    }
    let mut text = "<!-- Made from the code by the test `diagram`; do not edit. -->\n\n```mermaid\nstateDiagram-v2\n    [*] --> Ready\n"
        .to_owned();
    for ((from, to), labels) in &labels {
        let labels: Vec<&str> = labels.iter().copied().collect();
        text += &format!("    {from} --> {to}: {}\n", labels.join("<br>"));
    }
    text + "    Spent --> [*]\n```\n"
}

#[test]
fn the_diagram_in_the_documentation_is_the_flow() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagrams/sign_in_flow.md");
    let current = diagram();
    for (state, _) in PLAYS {
        assert!(current.contains(&format!("{state} -->")), "something leads on from {state}");
        assert!(current.contains(&format!("--> {state}")), "something leads to {state}");
    }
    if env::var_os("UPDATE_DIAGRAMS").is_some() {
        fs::write(&path, &current).expect("a writable file");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == current, "{} is out of date: run with UPDATE_DIAGRAMS=1", path.display());
}
