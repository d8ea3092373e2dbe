//! The effects, in a real browser: what they do to the page, and in which order.

#![cfg(target_arch = "wasm32")]
#![expect(clippy::expect_used, reason = "a test may fail loudly")]

use getrandom::SysRng;
use js_sys::{Array, Function, JSON, JsString, Object, Reflect};
use tokentoss_core::registration::AnswerKey;
use tokentoss_core::sealing::{Binding, KeyPair, PublicKey, Purpose};
use tokentoss_wasm::SignIn;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/stage.js")]
extern "C" {
    type Stage;

    #[wasm_bindgen(constructor)]
    fn new() -> Stage;
    #[wasm_bindgen(method)]
    fn leave(this: &Stage);
    #[wasm_bindgen(method, getter)]
    fn ticket(this: &Stage) -> Object;
    #[wasm_bindgen(method, getter, js_name = onEvent)]
    fn on_event(this: &Stage) -> Function;
    #[wasm_bindgen(method, getter)]
    fn events(this: &Stage) -> Array;
    #[wasm_bindgen(method)]
    fn receive(this: &Stage, content: &str);
    #[wasm_bindgen(method, js_name = receive)]
    fn receive_from_origin(this: &Stage, content: &str, origin: &str);
    #[wasm_bindgen(method, js_name = receiveFromStranger)]
    fn receive_from_stranger(this: &Stage, content: &str);
    #[wasm_bindgen(method, js_name = introduceStartPage)]
    fn introduce_start_page(this: &Stage) -> String;
    #[wasm_bindgen(method, js_name = comeBack)]
    fn come_back(this: &Stage, url: &str);
    #[wasm_bindgen(method, js_name = passTime)]
    fn pass_time(this: &Stage) -> f64;
    #[wasm_bindgen(method, js_name = answerWith)]
    fn answer_with(this: &Stage, status: u16, body: &str);
    #[wasm_bindgen(method, js_name = answerEndlessly)]
    fn answer_endlessly(this: &Stage);
    #[wasm_bindgen(method, js_name = answerNever)]
    fn answer_never(this: &Stage);
    #[wasm_bindgen(method, js_name = breakConnection)]
    fn break_connection(this: &Stage);
    #[wasm_bindgen(method, js_name = noteNavigation)]
    fn note_navigation(this: &Stage);
    #[wasm_bindgen(method, getter, js_name = navigatedTo)]
    fn navigated_to(this: &Stage) -> String;
    #[wasm_bindgen(method, js_name = useOwnCallbackPage)]
    fn use_own_callback_page(this: &Stage);
    #[wasm_bindgen(method, js_name = offerCodes)]
    fn offer_codes(this: &Stage);
    #[wasm_bindgen(method)]
    async fn told(this: &Stage, kind: &str);
    #[wasm_bindgen(method, js_name = codeShown)]
    async fn code_shown(this: &Stage);
    #[wasm_bindgen(method, js_name = fetched)]
    async fn fetched_as_many(this: &Stage, count: u32);
    #[wasm_bindgen(method, js_name = forgetCors)]
    fn forget_cors(this: &Stage);
    #[wasm_bindgen(method)]
    async fn broadcast(this: &Stage, url: &str) -> JsValue;
    #[wasm_bindgen(method, js_name = blockPopups)]
    fn block_popups(this: &Stage);
    #[wasm_bindgen(method, js_name = reactTo)]
    fn react_to(this: &Stage, phase: &str, sign_in: &JsValue, method: &str);
    #[wasm_bindgen(method, getter)]
    fn state(this: &Stage) -> String;
    #[wasm_bindgen(method, getter, js_name = lastEvent)]
    fn last_event(this: &Stage) -> String;
    #[wasm_bindgen(method, getter)]
    fn order(this: &Stage) -> String;
    #[wasm_bindgen(method, getter, js_name = openedUrl)]
    fn opened_url(this: &Stage) -> String;
    #[wasm_bindgen(method, getter, js_name = postedOrigins)]
    fn posted_origins(this: &Stage) -> String;
    #[wasm_bindgen(method, getter, js_name = postedCount)]
    fn posted_count(this: &Stage) -> u32;
    #[wasm_bindgen(method, getter)]
    fn pulled(this: &Stage) -> f64;
    #[wasm_bindgen(method, getter, js_name = requestSummary)]
    fn request_summary(this: &Stage) -> String;
    #[wasm_bindgen(method, getter, js_name = requestCount)]
    fn request_count(this: &Stage) -> u32;
    #[wasm_bindgen(method, js_name = requestBody)]
    async fn request_body(this: &Stage) -> JsValue;
    #[wasm_bindgen(method)]
    async fn fetched(this: &Stage);
    #[wasm_bindgen(method)]
    async fn shown(this: &Stage, phase: &str);
}

impl Stage {
    /// The start page introduces itself and the kernel registers the attempt; the result is the authorization request.
    fn introduce(&self) -> String {
        let start = parsed(&self.introduce_start_page());
        let (ticket_id, key) = (member(&start, "ticket"), member(&start, "key"));
        let binding =
            Binding { ticket_id: &ticket_id, client_id: "client", issuer: "https://issuer.example" };
        let kernel = KeyPair::from_private_key(&[7; 32]).expect("a private key");
        let opened =
            kernel.open(Purpose::Start, binding, &member(&start, "sealed")).expect("sealed to the kernel");
        let inside = parsed(core::str::from_utf8(&opened).expect("text"));
        let answer_key = AnswerKey::from_base64url(&member(&inside, "answer_key")).expect("a key");
        let attempt = PublicKey::from_base64url(&key).expect("a key");
        let plaintext = format!("{{\"proof\":\"{}\",\"client_secret\":null}}", "p".repeat(43));
        let answer =
            answer_key.seal(&ticket_id, &attempt, plaintext.as_bytes(), &mut SysRng).expect("an answer");
        self.receive(&format!("{{\"type\":\"registered\",\"answer\":\"{answer}\"}}"));
        member(&inside, "url")
    }
}

fn parsed(text: &str) -> JsValue {
    JSON::parse(text).expect("JSON")
}

fn member(object: &JsValue, name: &str) -> String {
    Reflect::get(object, &name.into()).ok().and_then(|value| value.as_string()).expect("a text")
}

/// Puts the page back as it was, also when an assertion fails.
struct Scene(Stage);

impl Scene {
    fn new() -> (Self, SignIn) {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&Stage)) -> (Self, SignIn) {
        let stage = Stage::new();
        change(&stage);
        let sign_in = SignIn::new(&stage.ticket(), stage.on_event()).expect("a usable ticket");
        (Self(stage), sign_in)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl std::ops::Deref for Scene {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.0
    }
}

#[wasm_bindgen_test]
fn an_unusable_ticket_throws_an_error_with_its_code() {
    let stage = Stage::new();
    let ticket = stage.ticket();
    Reflect::set(&ticket, &"scopes".into(), &Array::of1(&"email".into())).expect("a plain object");
    let thrown = SignIn::new(&ticket, stage.on_event()).expect_err("no openid in the scopes");
    stage.leave();
    let thrown: js_sys::Error = thrown.dyn_into().expect("an Error");
    assert_eq!(Reflect::get(&thrown, &"code".into()), Ok(JsString::from("scope_openid_missing").into()));
    assert!(String::from(thrown.message()).ends_with('.'));
}

#[wasm_bindgen_test]
fn events_are_plain_objects_with_null_for_what_is_missing() {
    let (scene, _sign_in) = Scene::new();
    assert_eq!(
        scene.last_event(),
        concat!(
            r#"{"type":"status","phase":"ready","way":null,"link":null,"#,
            r#""code":null,"message":null,"subject":null,"paste_problem":null,"paste_code":null,"#,
            r#""to_enter":null}"#
        )
    );
}

#[wasm_bindgen_test]
fn c25_the_popup_opens_in_the_call_and_after_the_listener() {
    let (scene, sign_in) = Scene::new();
    sign_in.sign_in();
    assert_eq!(scene.order(), "listen open");
    let url = scene.opened_url();
    assert!(url.starts_with("http://127.0.0.1:41231/tokentoss/start#"), "{url}");
    assert_eq!(scene.state(), "waiting");
}

#[wasm_bindgen_test]
fn c25_a_blocked_popup_fails_with_a_link() {
    let (scene, sign_in) = Scene::new();
    scene.block_popups();
    sign_in.sign_in();
    assert_eq!(scene.state(), "failed popup_blocked");
    assert!(scene.last_event().contains(r#""link":"http://127.0.0.1:41231/tokentoss/start#"#));
}

#[wasm_bindgen_test]
fn c14_messages_to_the_popup_name_the_listeners_origin() {
    let (scene, sign_in) = Scene::new();
    sign_in.sign_in();
    scene.introduce();
    assert_eq!(scene.posted_origins(), "http://127.0.0.1:41231");
}

#[wasm_bindgen_test]
fn c15_messages_of_other_origins_are_ignored() {
    let (scene, sign_in) = Scene::new();
    sign_in.sign_in();
    for origin in [
        "http://127.0.0.1:41231.evil.example",
        "http://127.0.0.1:41232",
        "null",
        "https://127.0.0.1:41231",
        "",
    ] {
        scene.receive_from_origin(r#"{"type":"ready"}"#, origin);
    }
    assert_eq!(scene.posted_count(), 0);
}

#[wasm_bindgen_test]
fn c16_messages_of_other_windows_are_ignored() {
    let (scene, sign_in) = Scene::new();
    sign_in.sign_in();
    scene.receive_from_stranger(r#"{"type":"ready"}"#);
    assert_eq!(scene.posted_count(), 0);
    scene.receive(r#"{"type":"ready"}"#);
    assert_eq!(scene.posted_count(), 1);
}

#[wasm_bindgen_test]
fn c17_a_flood_of_messages_changes_nothing() {
    let (scene, sign_in) = Scene::new();
    sign_in.sign_in();
    for round in 0..1000 {
        scene.receive_from_origin("x", "https://evil.example");
        scene.receive(&format!("{{\"type\":\"callback\",\"query\":\"code=a&state={round}\"}}"));
        scene.receive("[]");
    }
    assert_eq!(scene.state(), "waiting");
    assert_eq!(scene.request_count(), 0);
}

#[wasm_bindgen_test]
async fn c42_the_token_request_is_a_simple_one_that_carries_nothing_along() {
    let (scene, sign_in) = Scene::new();
    sign_in.sign_in();
    let url = scene.introduce();
    scene.come_back(&url);
    scene.fetched().await;
    assert_eq!(scene.order(), "listen open fetch");
    assert_eq!(
        scene.request_summary(),
        "https://issuer.example/token, POST, omit, cors, error, no-store, no-referrer, content-type"
    );
    let body = scene.request_body().await.as_string().expect("a form");
    assert!(body.starts_with(
        "grant_type=authorization_code&code=c0de&redirect_uri=http%3A%2F%2F127.0.0.1%3A41231%2F"
    ));
    assert!(body.contains("&code_verifier="));
}

#[wasm_bindgen_test]
async fn c43_a_code_is_sent_once() {
    let (scene, sign_in) = Scene::new();
    scene.answer_with(400, r#"{"error":"invalid_grant"}"#);
    sign_in.sign_in();
    let url = scene.introduce();
    scene.come_back(&url);
    scene.come_back(&url);
    scene.shown("failed").await;
    scene.come_back(&url);
    assert_eq!(scene.state(), "failed invalid_grant");
    assert_eq!(scene.request_count(), 1);
}

#[wasm_bindgen_test]
async fn c43_a_broken_connection_is_not_tried_again() {
    let (scene, sign_in) = Scene::new();
    scene.break_connection();
    sign_in.sign_in();
    let url = scene.introduce();
    scene.come_back(&url);
    scene.shown("failed").await;
    assert_eq!(scene.state(), "failed token_endpoint_unreachable");
    assert_eq!(scene.request_count(), 1);
}

#[wasm_bindgen_test]
async fn c45_an_endless_answer_is_read_up_to_the_limit() {
    let (scene, sign_in) = Scene::new();
    scene.answer_endlessly();
    sign_in.sign_in();
    let url = scene.introduce();
    scene.come_back(&url);
    scene.shown("failed").await;
    assert_eq!(scene.state(), "failed token_response_too_large");
    assert!(scene.order().contains("cancelled"), "{}", scene.order());
    assert!(scene.pulled() < 70.0 * 1024.0, "{} bytes were read", scene.pulled());
}

#[wasm_bindgen_test]
async fn cancelling_aborts_the_token_request_and_closes_the_popup() {
    let (scene, sign_in) = Scene::new();
    scene.answer_never();
    sign_in.sign_in();
    let url = scene.introduce();
    scene.come_back(&url);
    scene.fetched().await;
    sign_in.cancel();
    assert_eq!(scene.order(), "listen open fetch aborted close");
    assert_eq!(scene.state(), "ready");
}

#[wasm_bindgen_test]
async fn dropping_aborts_the_token_request_and_stops_listening() {
    let (scene, sign_in) = Scene::new();
    scene.answer_never();
    sign_in.sign_in();
    let url = scene.introduce();
    scene.come_back(&url);
    scene.fetched().await;
    let said = (scene.events().length(), scene.posted_count());
    drop(sign_in);
    scene.receive(r#"{"type":"ready"}"#);
    assert!(scene.order().ends_with("fetch aborted"), "{}", scene.order());
    assert_eq!((scene.events().length(), scene.posted_count()), said);
}

#[wasm_bindgen_test]
fn a_silent_start_page_is_left_for_the_provider_in_the_same_window() {
    let (scene, sign_in) = Scene::new();
    scene.note_navigation();
    sign_in.sign_in();
    let waited = scene.pass_time();
    assert!((900.0..=1000.0).contains(&waited), "{waited} ms");
    assert_eq!((scene.state().as_str(), scene.order().as_str()), ("waiting", "listen open navigate"));
    assert!(
        scene.navigated_to().starts_with("https://issuer.example/authorize?"),
        "{}",
        scene.navigated_to()
    );
    let told = String::from(js_sys::JSON::stringify(&scene.events()).expect("plain objects"));
    assert!(told.contains(r#"{"type":"register","ticket":""#), "{told}");
    assert!(told.contains(r#""way":"paste""#), "{told}");
}

#[wasm_bindgen_test]
fn a_copied_link_leads_to_the_provider() {
    let (scene, sign_in) = Scene::new();
    scene.block_popups();
    sign_in.sign_in();
    sign_in.link_copied();
    assert_eq!(scene.state(), "waiting");
    assert!(scene.last_event().contains(r#""link":"https://issuer.example/authorize?"#));
}

#[wasm_bindgen_test]
fn a_refused_paste_is_told_as_a_sentence() {
    let (scene, sign_in) = Scene::new();
    sign_in.sign_in();
    sign_in.paste("4/0AbCdEf".into());
    assert_eq!(scene.state(), "waiting");
    assert!(scene.last_event().contains("Paste the whole address,"), "{}", scene.last_event());
}

#[wasm_bindgen_test]
async fn a_pasted_address_is_exchanged() {
    let (scene, sign_in) = Scene::new();
    scene.note_navigation();
    sign_in.sign_in();
    scene.pass_time();
    let url = scene.navigated_to();
    let state = url.split("state=").nth(1).and_then(|rest| rest.split('&').next()).expect("a state");
    sign_in.paste(format!("http://127.0.0.1:41231/?code=c0de&state={state}"));
    scene.fetched().await;
    assert_eq!((scene.state().as_str(), scene.request_count()), ("signing_in", 1));
}

#[wasm_bindgen_test]
async fn c20_a_broadcast_of_the_own_origin_is_taken_and_answered() {
    let (scene, sign_in) = Scene::with(Stage::use_own_callback_page);
    sign_in.sign_in();
    assert!(scene.opened_url().starts_with("https://issuer.example/authorize?"), "{}", scene.opened_url());
    let answer = scene.broadcast(&scene.opened_url()).await;
    assert_eq!(answer.as_string().as_deref(), Some(r#"{"type":"done"}"#));
    scene.fetched().await;
    assert_eq!(scene.state(), "signing_in");
}

#[wasm_bindgen_test]
async fn an_endpoint_that_a_page_can_read_is_found_out_without_a_code() {
    let (scene, sign_in) = Scene::with(Stage::forget_cors);
    scene.answer_with(400, r#"{"error":"invalid_request"}"#);
    sign_in.sign_in();
    scene.introduce();
    scene.fetched().await;
    let body = scene.request_body().await.as_string().expect("a form");
    assert_eq!(body, "grant_type=authorization_code&client_id=client");
    assert_eq!(scene.state(), "waiting");
}

const CODE: &str = r#"{"device_code":"device-secret-1","user_code":"WDJB-MJHT","verification_uri":"https://issuer.example/enter","verification_uri_complete":"https://issuer.example/enter?c=1","expires_in":600,"interval":7}"#;

#[wasm_bindgen_test]
async fn a_code_is_asked_for_shown_and_polled_for() {
    let (scene, sign_in) = Scene::with(Stage::offer_codes);
    scene.answer_with(200, CODE);
    sign_in.ask_for_code();
    assert_eq!(scene.state(), "code");
    scene.code_shown().await;
    assert_eq!(
        scene.request_summary(),
        "https://issuer.example/device, POST, omit, cors, error, no-store, no-referrer, content-type"
    );
    let body = scene.request_body().await.as_string().expect("a form");
    assert_eq!(body, "client_id=client&scope=openid");
    let shown = scene.last_event();
    assert!(
        shown.contains(concat!(
            r#""to_enter":{"user_code":"WDJB-MJHT","verification_uri":"https://issuer.example/enter","#,
            r#""page":"https://issuer.example/enter?c=1","expires_at":"#
        )),
        "{shown}"
    );
    assert!(!shown.contains("device-secret-1"), "{shown}");
    scene.answer_never();
    let waited = scene.pass_time();
    assert!((6900.0..=7000.0).contains(&waited), "{waited} ms");
    scene.fetched_as_many(2).await;
    sign_in.cancel();
    assert_eq!((scene.state().as_str(), scene.order().as_str()), ("ready", "fetch fetch aborted"));
}

#[wasm_bindgen_test]
async fn a_refused_poll_ends_the_code() {
    let (scene, sign_in) = Scene::with(Stage::offer_codes);
    scene.answer_with(200, CODE);
    sign_in.ask_for_code();
    scene.code_shown().await;
    scene.answer_with(400, r#"{"error":"access_denied"}"#);
    scene.pass_time();
    scene.shown("failed").await;
    assert_eq!(scene.state(), "failed access_denied");
}

#[wasm_bindgen_test]
async fn an_endpoint_that_does_not_answer_pages_leaves_the_code_to_the_kernel() {
    let (scene, sign_in) = Scene::with(Stage::offer_codes);
    scene.break_connection();
    sign_in.ask_for_code();
    scene.told("ask_kernel_for_code").await;
    assert_eq!(
        (scene.state().as_str(), scene.request_count()),
        ("code", 1),
        "the kernel is asked, and waited for"
    );
}

#[wasm_bindgen_test]
fn an_event_function_may_call_back_at_once() {
    let (scene, sign_in) = Scene::new();
    let object = JsValue::from(sign_in);
    scene.react_to("waiting", &object, "cancel");
    let click: Function =
        Reflect::get(&object, &"signIn".into()).and_then(JsCast::dyn_into).expect("a method");
    click.call0(&object).expect("no exception");
    assert_eq!(scene.order(), "listen open close");
    assert_eq!(scene.state(), "ready");
}

#[wasm_bindgen_test]
fn an_event_function_that_throws_stops_nothing() {
    let stage = Stage::new();
    let throws = Function::new_no_args("throw new Error('the page is broken')");
    let sign_in = SignIn::new(&stage.ticket(), throws).expect("a usable ticket");
    sign_in.sign_in();
    stage.introduce();
    assert_eq!(stage.posted_count(), 1);
    stage.leave();
}

#[wasm_bindgen_test]
fn the_kernels_decision_ends_the_sign_in() {
    let (scene, sign_in) = Scene::new();
    sign_in.sign_in();
    let id = Reflect::get(&scene.ticket(), &"id".into()).ok().and_then(|id| id.as_string()).expect("an id");
    sign_in.acknowledge("another".into(), String::new(), String::new());
    assert_eq!(scene.state(), "waiting");
    sign_in.acknowledge(id, "hosted_domain_mismatch".into(), "Choose another account.".into());
    assert_eq!(scene.state(), "failed hosted_domain_mismatch");
    assert!(scene.last_event().contains("Choose another account."));
}

#[wasm_bindgen_test]
fn a_lost_kernel_ends_the_sign_in() {
    let (scene, sign_in) = Scene::new();
    sign_in.sign_in();
    sign_in.kernel_lost();
    assert_eq!(scene.state(), "failed kernel_gone");
    assert_eq!(scene.order(), "listen open close");
}
