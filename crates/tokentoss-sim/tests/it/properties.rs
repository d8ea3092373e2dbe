//! No order of inputs breaks a flow, spends a code twice or shows a secret.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tokentoss_core::flow::{Input, KernelRefusal, Phase, RequestId, WindowId};
use tokentoss_core::token_endpoint::TokenEndpointAnswer;
use tokentoss_core::{Secret, Ticket};
use tokentoss_sim::{Answer, LISTENER, User, World};

/// One thing that a user, a browser, a provider, a kernel or an attacker may do.
#[derive(Clone, Debug)]
enum Event {
    Click,
    Cancel,
    FollowLink,
    CloseWindow(u32),
    Step,
    Settle,
    Pass(u64),
    HonestCallback,
    Message(String, String),
    Relay(String),
    Answer(u32, u16, String),
    Fail(u32),
    AcknowledgeOther,
    Refuse,
    KernelLost,
    SetUser(User),
    SetAnswer(bool),
    Block(bool),
    Sever(bool),
    Busy(bool),
}

fn event() -> impl Strategy<Value = Event> {
    let user = prop_oneof![
        4 => Just(User::Accepts), 1 => Just(User::Declines), 1 => Just(User::Closes), 1 => Just(User::Waits)
    ];
    prop_oneof![
        6 => Just(Event::Click),
        2 => Just(Event::Cancel),
        2 => Just(Event::FollowLink),
        1 => (0_u32..4).prop_map(Event::CloseWindow),
        8 => Just(Event::Step),
        4 => Just(Event::Settle),
        2 => (0_u64..4000).prop_map(Event::Pass),
        4 => Just(Event::HonestCallback),
        2 => ("[ -~]{0,40}", "\\{\"type\":\"(ready|callback|registered|delivered|refused)\"[ -~]{0,40}\\}")
            .prop_map(|(origin, text)| Event::Message(origin, text)),
        1 => "[A-Za-z0-9_-]{0,80}".prop_map(Event::Relay),
        1 => (0_u32..4, 100_u16..600, "[ -~]{0,60}").prop_map(|(id, status, body)| Event::Answer(id, status, body)),
        1 => (0_u32..4).prop_map(Event::Fail),
        1 => Just(Event::AcknowledgeOther),
        1 => Just(Event::Refuse),
        1 => Just(Event::KernelLost),
        2 => user.prop_map(Event::SetUser),
        1 => any::<bool>().prop_map(Event::SetAnswer),
        1 => any::<bool>().prop_map(Event::Block),
        1 => any::<bool>().prop_map(Event::Sever),
        1 => any::<bool>().prop_map(Event::Busy),
    ]
}

fn happen(world: &mut World, event: Event) {
    match event {
        Event::Click => world.input(Input::SignIn),
        Event::Cancel => world.input(Input::Cancel),
        Event::FollowLink => world.follow_link(),
        Event::CloseWindow(id) => world.input(Input::WindowClosed { window: WindowId(id) }),
        Event::Step => {
            world.step();
        }
        Event::Settle => world.settle(),
        Event::Pass(seconds) => world.pass(Duration::from_secs(seconds)),
        Event::HonestCallback if !world.provider.authorization_requests.is_empty() => {
            let query = world.honest_callback();
            world.callback_message(&query);
        }
        Event::HonestCallback => {}
        Event::Message(origin, text) => {
            let origin = if origin.len() > 20 { LISTENER.to_owned() } else { origin };
            let source = world.browser.windows.last().map(|window| window.id);
            world.message(&origin, source, &text);
        }
        Event::Relay(sealed) => world.input(Input::Relayed { sealed }),
        Event::Answer(id, status, body) => {
            let answer = TokenEndpointAnswer { status, body: Secret::new(body) };
            world.input(Input::Answered { request: RequestId(id), answer });
        }
        Event::Fail(id) => world.input(Input::Unanswered { request: RequestId(id) }),
        Event::AcknowledgeOther => {
            world.input(Input::Acknowledged { ticket_id: "another".into(), refusal: None });
        }
        Event::Refuse => {
            let refusal = KernelRefusal { code: "id_token_expired".into(), message: "Expired.".into() };
            let ticket_id = world.kernel.ticket_id().to_owned();
            world.input(Input::Acknowledged { ticket_id, refusal: Some(refusal) });
        }
        Event::KernelLost => world.input(Input::KernelLost),
        Event::SetUser(user) => world.user = user,
        Event::SetAnswer(honest) => {
            world.provider.answer = if honest { Answer::Honest } else { Answer::Raw(500, "<html>".into()) };
        }
        Event::Block(blocks) => world.browser.blocks_popups = blocks,
        Event::Sever(severs) => world.browser.severs_openers = severs,
        Event::Busy(busy) => world.kernel.busy = busy,
    }
}

/// What holds whatever has happened.
fn check(world: &World) -> Result<(), TestCaseError> {
    let mut codes: Vec<&String> = world.provider.token_requests.iter().map(|form| &form["code"]).collect();
    codes.sort();
    let sent = codes.len();
    codes.dedup();
    prop_assert_eq!(sent, codes.len(), "C43: a code was sent twice");
    prop_assert!(world.kernel.tokens.len() <= 1, "C71: one envelope a ticket");

    let shown = format!("{:?}", world.flow);
    prop_assert!(!shown.contains(world.kernel.proof()), "C72");
    for form in &world.provider.token_requests {
        for name in ["code", "code_verifier"] {
            prop_assert!(!shown.contains(&form[name]), "C72: {} in {}", name, shown);
        }
    }
    let status = world.flow.status();
    if status.phase == Phase::Failed {
        prop_assert!(status.problem.is_some(), "a failure says why");
    }
    if matches!(status.phase, Phase::Waiting | Phase::SigningIn | Phase::HandingOver) {
        let armed = world.flow.next_timer().is_some();
        prop_assert!(armed, "no spinner without an end: {:?}", world.flow);
    }
    if matches!(status.phase, Phase::Ready | Phase::Done) {
        prop_assert!(!world.browser.listening, "nothing listens at rest");
        prop_assert_eq!(world.flow.next_timer(), None);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_events_is_survived(events in vec(event(), 1..60)) {
        let mut world = World::new();
        for event in events {
            happen(&mut world, event);
            check(&world)?;
        }
    }

    #[test]
    fn any_ticket_text_is_survived(text in "\\PC{0,200}") {
        let _ = Ticket::from_json(&text);
    }

    #[test]
    fn any_callback_is_survived(query in "[ -~]{0,200}") {
        let mut world = World::at_provider();
        world.callback_message(&query);
        prop_assert_eq!(world.phase(), Phase::Waiting);
        prop_assert!(world.provider.token_requests.is_empty());
    }

    #[test]
    fn any_token_response_is_survived(status in prop_oneof![Just(200_u16), 100_u16..600], body in "[ -~]{0,200}") {
        let mut world = World::new();
        world.provider.answer = Answer::Raw(status, body);
        world.sign_in();
        prop_assert_eq!(world.phase(), Phase::Failed);
        prop_assert!(world.kernel.tokens.is_empty());
    }

    #[test]
    fn any_id_token_is_survived(token in "[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,10}") {
        let mut world = World::new();
        let body = serde_json::json!({"access_token": "a", "token_type": "Bearer", "id_token": token});
        world.provider.answer = Answer::Raw(200, body.to_string());
        world.sign_in();
        prop_assert_eq!(world.phase(), Phase::Failed);
    }

    #[test]
    fn c11_extra_parameters_stay_single(extra in proptest::collection::btree_map("[a-z_]{1,12}", "[ -~]{0,12}", 0..5)) {
        let mut rng = rand_core::SeedableRng::seed_from_u64(1);
        let mut kernel = tokentoss_sim::Kernel::new(&mut rng);
        kernel.ticket()["provider"]["authorization_params"] = serde_json::json!(extra);
        if Ticket::from_json(&kernel.ticket().to_string()).is_ok() {
            // The simulated provider refuses any parameter that stands twice.
            let mut world = World::with(|k| {
                k.ticket()["provider"]["authorization_params"] = serde_json::json!(extra);
                k.ticket()["login_hint"] = "ada".into();
                k.ticket()["hosted_domain"] = "example.com".into();
            });
            world.sign_in();
            prop_assert_eq!(world.phase(), Phase::Done);
        }
    }
}
