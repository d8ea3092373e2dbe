//! No state of a flow shows a secret in its Debug output.

use tokentoss_core::flow::{Input, Output, RequestId};
use tokentoss_core::form_request::EndpointAnswer;
use tokentoss_core::{Flow, Secret, Ticket, Timestamp};
use tokentoss_sim::{Answer, Kernel, PAGE, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use rand_core::SeedableRng;

#[test]
fn c72_no_state_shows_a_secret() {
    let mut world = World::with(|kernel| {
        kernel.client_secret = Some("s3cret-of-the-client".into());
        kernel.ticket()["client_secret_sealed"] = true.into();
    });
    world.provider.client_secret = Some("s3cret-of-the-client".into());
    world.kernel.busy = true;
    world.browser.severs_openers = true;
    let mut shown = Vec::new();
    world.input(Input::SignIn);
    loop {
        shown.push(format!("{:?}", world.flow));
        if !world.step() {
            break;
        }
    }
    assert!(shown.len() > 4, "every state was looked at");

    let form = &world.provider.token_requests[0];
    let mut secrets = vec!["access-1".to_owned(), "refresh-1".into()];
    let proofs = world.kernel.proofs();
    assert_eq!(proofs.len(), 2, "of the introduction and of the registration");
    secrets.extend(proofs);
    secrets.extend(["code", "code_verifier", "client_secret"].map(|name| form[name].clone()));
    let url = world.provider.authorization_requests[0].clone();
    let query = url.split_once('?').expect("a query").1;
    let state = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state").expect("a state");
    secrets.push(state.1.to_string());
    for (at, text) in shown.iter().enumerate() {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "state {at} shows {secret}: {text}");
        }
    }
}

#[test]
fn c72_outputs_and_inputs_show_no_secret() {
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([9; 32]);
    let mut kernel = Kernel::new(&mut rng);
    let mut flow = Flow::new(Ticket::from_json(&kernel.ticket().to_string(), PAGE).expect("a ticket"));
    let now = Timestamp::from_millis(1);
    flow.handle(now, Input::SignIn, &mut rng).expect("taken");
    let window = tokentoss_core::flow::WindowId(1);
    flow.handle(now, Input::PopupOpened { window }, &mut rng).expect("taken");
    let ready = Input::Message {
        origin: tokentoss_sim::LISTENER.into(),
        source: Some(window),
        text: Secret::new(r#"{"type":"ready"}"#.into()),
    };
    flow.handle(now, ready, &mut rng).expect("taken");
    let callback = r#"{"type":"callback","query":"code=c0de-of-this&state=st4te-of-this"}"#;
    let answer = EndpointAnswer { status: 200, body: Secret::new(r#"{"access_token":"t0ken"}"#.into()) };
    for input in [
        Input::Message { origin: String::new(), source: None, text: Secret::new(callback.into()) },
        Input::Broadcast { text: Secret::new(callback.into()) },
        Input::Pasted { text: Secret::new("https://hub.example/?code=c0de-of-this".into()) },
        Input::Answered { request: RequestId(1), answer },
    ] {
        let shown = format!("{input:?}");
        assert!(!["c0de", "st4te", "t0ken"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
    let mut posted = None;
    while let Some(output) = flow.poll() {
        let shown = format!("{output:?}");
        assert!(!shown.contains("\"sealed\""), "{shown}");
        if let Output::Post { message, .. } = output {
            posted = Some(message);
        }
    }
    assert!(posted.is_some_and(|message: Secret| message.expose().contains("\"sealed\"")));
}

#[test]
fn c72_no_way_shows_the_state() {
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([9; 32]);
    for with_page in [false, true] {
        let mut kernel = Kernel::new(&mut rng);
        if with_page {
            kernel.ticket()["callback_pages"] = serde_json::json!(["https://pages.example/callback"]);
        }
        let mut flow = Flow::new(Ticket::from_json(&kernel.ticket().to_string(), PAGE).expect("a ticket"));
        let window = tokentoss_core::flow::WindowId(1);
        let (start, later) = (Timestamp::from_millis(1), Timestamp::from_millis(5000));
        flow.handle(start, Input::SignIn, &mut rng).expect("taken");
        flow.handle(start, Input::PopupOpened { window }, &mut rng).expect("taken");
        flow.handle(later, Input::TimerFired, &mut rng).expect("taken");
        let mut shown = format!("{flow:?} {:?}", flow.status());
        while let Some(output) = flow.poll() {
            shown += &format!("{output:?}");
        }
        let link = flow.status().link.clone().expect("a link to the provider");
        let query = link.split_once('?').expect("a query").1;
        let state =
            form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state").expect("a state").1;
        assert!(shown.contains("Navigate") && shown.contains("Register {"), "{shown}");
        assert!(!shown.contains(&*state), "{shown}");
    }
}

#[test]
fn c72_errors_show_no_token() {
    let mut world = World::new();
    world.provider.answer =
        Answer::Raw(400, r#"{"error":"invalid_grant","error_description":"code-1 is bad"}"#.into());
    world.sign_in();
    let problem =
        format!("{:?} {}", world.flow.status(), world.flow.status().problem.as_ref().expect("one").message());
    assert!(!problem.contains("code-1"), "{problem}");
}
