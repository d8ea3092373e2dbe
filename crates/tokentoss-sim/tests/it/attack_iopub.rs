//! Somebody reads everything that the kernel and the page say over the comm.

use serde_json::Value;
use tokentoss_core::flow::Phase;
use tokentoss_core::sealing::{Binding, Purpose};
use tokentoss_sim::{CLIENT_ID, ISSUER, PAGE, Registration, World};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::forged;

fn with_secret() -> World {
    let mut world = World::with(|kernel| {
        kernel.client_secret = Some("s3cret-of-the-client".into());
        kernel.ticket()["client_secret_sealed"] = true.into();
    });
    world.provider.client_secret = Some("s3cret-of-the-client".into());
    world
}

#[test]
fn trust_2_nothing_useful_crosses_unsealed_and_nothing_opens() {
    let mut world = with_secret();
    // The page registers over the comm, too.
    world.browser.severs_popups = true;
    world.sign_in();
    assert_eq!(world.phase(), Phase::Done);
    let seen = world.comm.join("\n") + &world.kernel.ticket().to_string();
    let form = world.provider.token_requests[0].clone();
    let mut secrets = world.kernel.proofs();
    assert_eq!(secrets.len(), 2);
    secrets.extend(["code", "code_verifier", "client_secret"].map(|name| form[name].clone()));
    secrets.extend(["access-1".to_owned(), "refresh-1".to_owned()]);
    for secret in secrets {
        assert!(!seen.contains(&secret), "{secret} in {seen}");
    }
    let sealed = |text: &String| {
        let message: Value = serde_json::from_str(text).ok()?;
        message["sealed"].as_str().map(str::to_owned)
    };
    let texts = world.comm.iter().flat_map(|text| [Some(text.clone()), sealed(text)]).flatten();
    let binding = Binding { ticket_id: world.kernel.ticket_id(), client_id: CLIENT_ID, issuer: ISSUER };
    for text in texts {
        for purpose in [Purpose::Introduced, Purpose::Registered, Purpose::Tokens, Purpose::Registration] {
            assert!(forged::keys().open(purpose, binding, &text).is_none());
        }
    }
}

#[test]
fn trust_4_another_user_of_this_machine_is_asked_for_a_yes_that_never_comes() {
    let mut world = with_secret();
    world.kernel.trusts_peers = false;
    let start = forged::start(&mut world, None);
    // A program, unlike a browser, says whatever origin it likes.
    let answer = world.kernel.register(&start, PAGE, None, &mut forged::rng());
    assert!(matches!(answer, Registration::Confirm(_)), "{answer:?}");
    world.sign_in();
    assert_eq!(
        (world.phase(), world.kernel.tokens.len()),
        (Phase::Done, 1),
        "the page itself shows its proof"
    );
}
