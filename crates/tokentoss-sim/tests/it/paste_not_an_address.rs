//! Mistake or attack: something that is no address at all.

use tokentoss_core::flow::Phase;
use tokentoss_sim::World;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn c17_it_is_refused_before_anything_is_read() {
    let mut world = World::steered(|_| {});
    let query = world.honest_callback();
    let address = format!("http://127.0.0.1:4711/callback?{query}");
    let long = format!("{address}&x={}", "x".repeat(40_000));
    for text in [
        "",
        "   ",
        &query,
        &format!("?{query}"),
        &format!("127.0.0.1:4711/callback?{query}"),
        &format!("javascript:alert(1)//{address}"),
        &format!("javascript://127.0.0.1:4711/callback?{query}"),
        &format!("HTTP://127.0.0.1:4711/callback?{query}"),
        &format!("view-source:{address}"),
        &format!("look: {address}"),
        &format!("{address} {address}"),
        &address.replacen("callback", "call\nback", 1),
        &address.replacen("callback", "call\0back", 1),
        &long,
    ] {
        world.paste(text);
        let shown = text.chars().take(60).collect::<String>();
        assert_eq!(world.paste_problem(), Some("paste_not_an_address"), "{shown}");
    }
    assert_eq!(world.phase(), Phase::Waiting);
    assert!(world.provider.token_requests.is_empty() && world.deliveries == 0);
    world.paste(&address);
    world.settle();
    assert_eq!(world.phase(), Phase::Done);
}
