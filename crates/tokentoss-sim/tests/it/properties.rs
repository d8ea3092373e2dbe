//! No order of inputs breaks a flow, spends a code twice or shows a secret.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tokentoss_core::flow::{Input, KernelRefusal, Phase, RequestId, Way, WindowId};
use tokentoss_core::form_request::EndpointAnswer;
use tokentoss_core::{Secret, Ticket};
use tokentoss_sim::{Answer, Entered, GRANT_TYPE, Kernel, LISTENER, PAGE, User, World};

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
    SeverPopups(bool),
    Busy(bool),
    Reach(bool),
    Readable(Option<bool>),
    CopyLink,
    Paste(String),
    PasteHonest,
    Broadcast(String),
    Register(String),
    Reconnect,
    ClockJump(i64),
    Confirm(bool),
    Probe(bool),
    LateCallback,
    AskForCode,
    KernelGetsCode(bool),
    KernelCodeEnds,
    StrayKernelCode,
    Enter(Entered),
    AnswerDevice(Option<(u16, String)>),
}

/// The tickets: with and without listener and callback pages, with and without a secret, for every exchange.
#[derive(Clone, Debug)]
struct Setting {
    page: &'static str,
    listener: bool,
    pages: &'static [&'static str],
    secret: bool,
    exchange: Option<&'static str>,
    cors: Option<bool>,
}

impl Setting {
    fn apply(&self, kernel: &mut Kernel) {
        let secret = self.secret.then(|| "s3cret".to_owned());
        let ticket = kernel.ticket();
        if !self.listener {
            ticket["redirect_uri"] = serde_json::Value::Null;
        }
        ticket["callback_pages"] = serde_json::json!(self.pages);
        ticket["client_secret_sealed"] = self.secret.into();
        ticket["exchange"] = self.exchange.into();
        ticket["provider"]["token_endpoint_cors"] = self.cors.into();
        kernel.client_secret = secret;
    }

    fn world(&self) -> World {
        let mut world = World::on_page(self.page, |kernel| self.apply(kernel));
        world.provider.client_secret = world.kernel.client_secret.clone();
        world
    }
}

fn setting() -> impl Strategy<Value = Setting> {
    let page = prop_oneof![4 => Just(PAGE), 1 => Just("vscode-webview://1a2b"), 1 => Just("null")];
    let pages = prop_oneof![
        2 => Just(&[][..]),
        1 => Just(&["https://pages.example/cb"][..]),
        1 => Just(&["https://pages.example/cb", "https://hub.example/cb"][..]),
    ];
    let exchange = prop_oneof![2 => Just(None), 1 => Just(Some("auto")), 1 => Just(Some("browser")), 1 => Just(Some("kernel"))];
    let cors = prop_oneof![2 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    (page, any::<bool>(), pages, any::<bool>(), exchange, cors).prop_map(
        |(page, listener, pages, secret, exchange, cors)| Setting {
            page,
            listener: listener || pages.is_empty(),
            pages,
            secret,
            exchange,
            cors,
        },
    )
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
        2 => ("[ -~]{0,40}", "\\{\"type\":\"(ready|callback|registered|delivered|refused|confirming)\"[ -~]{0,40}\\}")
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
        1 => any::<bool>().prop_map(Event::SeverPopups),
        1 => any::<bool>().prop_map(Event::Busy),
        2 => any::<bool>().prop_map(Event::Reach),
        1 => prop_oneof![Just(None), any::<bool>().prop_map(Some)].prop_map(Event::Readable),
        1 => Just(Event::CopyLink),
        2 => prop_oneof![
            "[ -~]{0,60}",
            "http://127\\.0\\.0\\.1:4711/callback\\?(code=c-1&)?(state=[A-Za-z0-9_-]{0,44})?[ -~]{0,20}",
        ].prop_map(Event::Paste),
        3 => Just(Event::PasteHonest),
        1 => "(\\{\"type\":\"(ready|callback|registered|done)\"[ -~]{0,40}\\})|[ -~]{0,20}".prop_map(Event::Broadcast),
        1 => "[A-Za-z0-9_-]{0,80}".prop_map(Event::Register),
        1 => Just(Event::Reconnect),
        2 => (-100_000_i64..100_000).prop_map(Event::ClockJump),
        2 => any::<bool>().prop_map(Event::Confirm),
        1 => any::<bool>().prop_map(Event::Probe),
        2 => Just(Event::LateCallback),
        4 => Just(Event::AskForCode),
        1 => any::<bool>().prop_map(Event::KernelGetsCode),
        1 => Just(Event::KernelCodeEnds),
        1 => Just(Event::StrayKernelCode),
        3 => prop_oneof![Just(Entered::Accepted), Just(Entered::Declined), Just(Entered::NotYet)].prop_map(Event::Enter),
        1 => prop_oneof![
            2 => Just(None),
            1 => (100_u16..600, "(\\{\"(error|device_code|user_code)\":\"[ -~]{0,20}\"\\})|[ -~]{0,40}").prop_map(Some),
        ].prop_map(Event::AnswerDevice),
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
            let answer = EndpointAnswer { status, body: Secret::new(body) };
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
        Event::SeverPopups(severs) => world.browser.severs_popups = severs,
        Event::Busy(busy) => world.kernel.busy = busy,
        Event::Reach(reachable) => world.kernel.reachable = reachable,
        Event::Readable(readable) => world.provider.readable = readable,
        Event::CopyLink => world.input(Input::LinkCopied),
        Event::Paste(text) => world.paste(&text),
        Event::PasteHonest if !world.provider.authorization_requests.is_empty() => {
            let address = world.honest_address();
            world.paste(&address);
        }
        Event::PasteHonest | Event::LateCallback if world.provider.authorization_requests.is_empty() => {}
        Event::PasteHonest => {}
        Event::Broadcast(text) => world.input(Input::Broadcast { text: text.into() }),
        Event::Register(sealed) => {
            let key = world.start_fragment.split('.').nth(1).unwrap_or_default().to_owned();
            world.input(Input::Registered { key: key.clone(), sealed: sealed.clone() });
            world.input(Input::Introduced { key, sealed });
        }
        Event::Reconnect => world.input(Input::Connected),
        Event::ClockJump(seconds) => world.jump(seconds),
        Event::Confirm(yes) => {
            if world.browser.confirming.is_some() {
                world.confirm(yes);
            }
        }
        Event::AskForCode => world.input(Input::AskForCode),
        Event::KernelGetsCode(gets) => world.kernel.gets_code = gets,
        Event::KernelCodeEnds => {
            world.kernel.shows_code = false;
            world.input(Input::KernelCodeEnded);
        }
        Event::StrayKernelCode => {
            let code = world.kernel.ask_for_code();
            world.input(code);
        }
        Event::Enter(entered) => world.provider.device.entered = entered,
        Event::AnswerDevice(None) => world.provider.device.answer = Answer::Honest,
        Event::AnswerDevice(Some((status, body))) => world.provider.device.answer = Answer::Raw(status, body),
        Event::Probe(readable) => world.input(Input::Probed { readable }),
        // An answer to a request of long ago, from whichever page.
        Event::LateCallback => {
            let url = world.provider.authorization_requests[0].clone();
            let query = world.provider.authorize(&url, User::Accepts).expect("an answer");
            world.provider.authorization_requests.pop();
            let text = serde_json::json!({"type": "callback", "query": query}).to_string();
            let popup = world.browser.windows.last().map(|window| window.id);
            for origin in [LISTENER, "https://pages.example", "https://hub.example"] {
                world.message(origin, popup, &text);
            }
            world.input(Input::Broadcast { text: text.into() });
        }
    }
}

/// What holds whatever has happened.
fn check(world: &World) -> Result<(), TestCaseError> {
    let (polls, exchanges): (Vec<_>, Vec<_>) =
        world.provider.token_requests.iter().partition(|form| form["grant_type"] == GRANT_TYPE);
    let mut codes: Vec<&String> = exchanges.iter().map(|form| &form["code"]).collect();
    codes.sort();
    let sent = codes.len();
    codes.dedup();
    prop_assert_eq!(sent, codes.len(), "a code was sent twice (C43)");
    prop_assert!(world.kernel.tokens.len() <= 1, "a ticket accepts one envelope (C71)");
    prop_assert!(world.kernel.codes.len() <= 1, "a ticket accepts one envelope (C71)");
    // A code is sent with the redirect URI that it arrived at; otherwise the provider refuses it (C9, C39).
    for form in &exchanges {
        let asked_for = |url: &String| {
            form_urlencoded::parse(url.split_once('?').expect("a query").1.as_bytes())
                .any(|(name, value)| name == "redirect_uri" && value == form["redirect_uri"])
        };
        prop_assert!(
            world.provider.authorization_requests.iter().any(asked_for),
            "the redirect URI is the requested one (C9)"
        );
    }

    let shown = format!("{:?}", world.flow);
    for proof in world.kernel.proofs() {
        prop_assert!(!shown.contains(&proof), "a secret is shown (C72)");
        prop_assert!(!world.comm.iter().any(|message| message.contains(&proof)), "only sealed");
    }
    for form in polls {
        prop_assert!(!shown.contains(&form["device_code"]), "a secret is shown (C72): {}", shown);
    }
    for form in exchanges {
        for name in ["code", "code_verifier"] {
            prop_assert!(!shown.contains(&form[name]), "a secret is shown (C72): {} in {}", name, shown);
        }
    }
    let status = world.flow.status();
    if status.phase == Phase::Failed {
        prop_assert!(status.problem.is_some(), "a failure says why");
    }
    let shown = status.code.is_some();
    prop_assert!(!shown || status.phase == Phase::Code, "a code is shown only while it counts");
    if matches!(status.phase, Phase::Waiting | Phase::SigningIn | Phase::Code | Phase::HandingOver) {
        let armed = world.flow.next_timer().is_some();
        prop_assert!(armed, "no spinner without an end: {:?}", world.flow);
    }
    // A token, a button, or a clock that ends it: whatever is at rest has taken tokens, takes a click, or was decided on.
    match (status.phase, world.flow.state_name()) {
        (Phase::Done, state) => prop_assert_eq!(state, "Spent"),
        (Phase::Ready, state) => prop_assert_eq!(state, "Ready"),
        (Phase::Failed, "Ready" | "Spent") => {}
        // The popup was blocked, and a click opens it anew.
        (Phase::Failed, state) => {
            prop_assert!(["Introducing", "AwaitingCallback"].contains(&state), "{}", state)
        }
        _ => {}
    }
    if status.phase == Phase::Waiting {
        prop_assert!(status.link.is_some() && status.way.is_some(), "a next step");
        let provider =
            status.link.as_ref().is_some_and(|link| link.starts_with("https://as.example/authorize?"));
        prop_assert!(status.way == Some(Way::Loopback) || provider, "the link leads on");
    }
    if matches!(status.phase, Phase::Ready | Phase::Done) {
        prop_assert!(!world.browser.listening, "nothing listens at rest");
        prop_assert_eq!(&world.browser.channel, &None);
        prop_assert_eq!(world.flow.next_timer(), None);
    }
    Ok(())
}

/// How much is tried: as many cases as `PROPTEST_CASES` says, or by default so many.
fn config(cases: u32) -> ProptestConfig {
    let given = std::env::var_os("PROPTEST_CASES").is_some();
    let default = ProptestConfig::default();
    let cases = if given { default.cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn any_order_of_events_is_survived(setting in setting(), events in vec(event(), 1..60)) {
        let mut world = setting.world();
        for event in events {
            happen(&mut world, event);
            check(&world)?;
        }
    }
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn every_honest_world_signs_in_whatever_the_way(setting in setting(), reachable in any::<bool>(), severs in any::<bool>(), severs_popups in any::<bool>()) {
        let mut world = setting.world();
        world.kernel.reachable = reachable;
        world.browser.severs_openers = severs;
        world.browser.severs_popups = severs_popups;
        // A person takes longer than the kernel's answer to a registration.
        world.user = User::Waits;
        world.sign_in();
        world.pass(Duration::from_secs(2));
        if severs_popups && world.provider.authorization_requests.is_empty() {
            prop_assert!(!reachable, "one click");
            world.pass(Duration::from_secs(2));
            prop_assert_eq!(world.problem(), Some("popup_closed"));
            world.sign_in();
        }
        world.user = User::Accepts;
        let popup = world.popup();
        let url = world.provider.authorization_requests[0].clone();
        world.provider.authorization_requests.clear();
        world.reach_provider(popup, &url);
        world.settle();
        if world.phase() == Phase::Waiting {
            // What is left to the user when no page can answer.
            let address = world.browser.address.clone();
            world.paste(&address);
            world.settle();
        }
        prop_assert_eq!(world.phase(), Phase::Done, "{:?}", world.flow.status());
        prop_assert_eq!((world.provider.token_requests.len(), world.kernel.tokens.len()), (1, 1));
        prop_assert_eq!(world.provider.probes, u32::from(setting.cors.is_none() && matches!(setting.exchange, None | Some("auto"))));
    }

    #[test]
    fn any_paste_is_survived(text in "\\PC{0,200}") {
        let mut world = World::steered(|_| {});
        world.paste(&text);
        prop_assert_eq!(world.phase(), Phase::Waiting);
        prop_assert!(world.paste_problem().is_some());
        prop_assert!(world.provider.token_requests.is_empty() && world.deliveries == 0);
    }

    #[test]
    fn any_ticket_text_is_survived(text in "\\PC{0,200}") {
        let _ = Ticket::from_json(&text, PAGE);
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
    fn any_device_authorization_is_survived(
        status in prop_oneof![4 => Just(200_u16), 1 => 100_u16..600],
        code in "\\PC{0,70}",
        uri in prop_oneof![1 => "https://[a-z.]{1,20}/[ -~]{0,30}", 1 => "[ -~]{0,60}"],
        complete in prop_oneof![1 => "https://[a-z.]{1,20}/[ -~]{0,30}", 1 => "[ -~]{0,60}"],
        seconds in prop_oneof![2 => any::<f64>().prop_map(|n| serde_json::json!(n)), 1 => any::<i64>().prop_map(|n| serde_json::json!(n)), 1 => "[ -~]{0,12}".prop_map(|n| serde_json::json!(n))],
        interval in prop_oneof![2 => any::<f64>().prop_map(|n| serde_json::json!(n)), 1 => any::<i64>().prop_map(|n| serde_json::json!(n))],
        noise in "[ -~]{0,200}", noisy in any::<bool>(),
    ) {
        let body = serde_json::json!({
            "device_code": "device-secret-1", "user_code": code, "verification_uri": uri,
            "verification_uri_complete": complete, "expires_in": seconds, "interval": interval,
        });
        let mut world = World::new();
        world.provider.device.answer = Answer::Raw(status, if noisy { noise } else { body.to_string() });
        world.input(Input::AskForCode);
        world.settle();
        if let Some(code) = &world.flow.status().code {
            prop_assert!(!noisy && status == 200);
            prop_assert!((1..=64).contains(&code.user_code.len()) && code.user_code.trim() == code.user_code);
            prop_assert!(code.user_code.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            for page in [&code.verification_uri, &code.page] {
                prop_assert!(page.starts_with("https://") && !page.contains([' ', '"', '<', '\\']));
            }
            let origin = |page: &str| page.split('/').take(3).map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(origin(&code.page), origin(&code.verification_uri));
            let left = code.expires_at - world.now.as_secs();
            prop_assert!((1..=3600).contains(&left), "{}", left);
            world.sleep(Duration::from_secs(3600));
            prop_assert_eq!(world.problem(), Some("expired_token"));
        } else {
            prop_assert_eq!((world.phase(), world.problem().is_some()), (Phase::Failed, true));
        }
        let seen = format!("{:?} {:?}", world.flow, world.shown);
        prop_assert!(!seen.contains("device-secret"), "a secret is shown (C72)");
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
        if Ticket::from_json(&kernel.ticket().to_string(), PAGE).is_ok() {
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
