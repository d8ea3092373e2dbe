//! Hostile messages by the hundred thousand.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tokentoss_core::flow::{Phase, WindowId};
use tokentoss_sim::{LISTENER, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const TEXTS: [&str; 16] = [
    "",
    "null",
    "[]",
    "{}",
    "{\"type\":\"ready\",\"extra\":1}",
    "{\"type\":\"callback\"}",
    "{\"type\":\"callback\",\"query\":1}",
    "{\"type\":\"callback\",\"query\":null}",
    "{\"type\":\"callback\",\"query\":[\"code=a\"]}",
    "{\"type\":\"callback\",\"query\":\"code=x&state=bad\"}",
    "{\"type\":\"callback\",\"query\":\"error=x\"}",
    "{\"type\":\"callback\",\"query\":\"code=x\",\"query\":\"code=y\"}",
    "{\"type\":\"delivered\",\"code\":\"\"}",
    "{\"type\":\"__proto__\"}",
    "{\"type\":\"callback\",\"query\":\"%ff%fe=\u{0}&state=%\"}",
    "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}",
];

#[test]
fn c17_a_flood_never_ends_a_sign_in() {
    let mut world = World::at_provider();
    let popup = world.popup();
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    for _ in 0..100_000 {
        let text = TEXTS[rng.next_u32() as usize % TEXTS.len()];
        let origin = [LISTENER, "https://evil.example", "null", ""][rng.next_u32() as usize % 4];
        let source = [None, Some(popup), Some(WindowId(99))][rng.next_u32() as usize % 3];
        world.message(origin, source, text);
    }
    assert_eq!(world.dropped.len(), 100_000);
    assert_eq!(world.phase(), Phase::Waiting);
    assert!(world.provider.token_requests.is_empty());

    let query = world.honest_callback();
    world.callback_message(&query);
    world.settle();
    assert_eq!(world.phase(), Phase::Done, "the real answer still counts");
}

#[test]
fn c17_huge_messages_are_not_read() {
    let mut world = World::at_provider();
    let query = world.honest_callback();
    let padding = "x".repeat(64 * 1024);
    world.callback_message(&format!("{query}&padding={padding}"));
    assert_eq!(world.dropped.last().map(|error| error.code().as_str()), Some("message_malformed"));
    assert_eq!(world.phase(), Phase::Waiting);
}
