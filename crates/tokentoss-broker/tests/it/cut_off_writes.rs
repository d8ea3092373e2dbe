//! Writes whose caller leaves while they begin.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use futures_util::future::join_all;
use tokentoss_broker::connect::Way;
use tokentoss_broker::store::Authorization;

use crate::running::Home;

/// More than there are connections.
const AT_ONCE: usize = 40;
const LEFT: &str = "SELECT COUNT(*) FROM authorizations WHERE user_id = 'stays'";

fn sign_in(user: &str) -> Authorization {
    Authorization::begun("acme".into(), user.into(), "example".into(), Way::Page, String::new())
}

#[tokio::test]
async fn later_writes_are_not_lost_in_a_transaction_that_was_cut_off() {
    for home in Home::all().await {
        let broker = home.start().await;
        let store = &broker.custodian.store;
        broker.connect("ada", &home.provider.grant(), 3600).await;
        let stay: Vec<_> = (0..AT_ONCE).map(|_| sign_in("stays")).collect();
        for row in &stay {
            store.add_authorization(row, 600_000).await.expect("written");
        }
        for polls in 1..6 {
            let leave = (0..AT_ONCE).map(|_| async {
                let row = sign_in("leaves");
                let mut adding = pin!(store.add_authorization(&row, 600_000));
                for _ in 0..polls {
                    if poll_fn(|context| Poll::Ready(adding.as_mut().poll(context).is_ready())).await {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            });
            for leaves in leave {
                leaves.await;
            }
            let half = AT_ONCE / 2;
            for row in stay.iter().take(half) {
                store.drop_authorization(row.id).await.expect("written");
            }
            join_all(stay.iter().skip(half).map(|row| store.drop_authorization(row.id))).await;
            assert_eq!(home.number(LEFT).await, 0, "{polls}");
            for row in &stay {
                store.add_authorization(row, 600_000).await.expect("written");
            }
            assert_eq!(home.number(LEFT).await, i64::try_from(AT_ONCE).expect("few"), "{polls}");
        }
        broker.stop().await;
    }
}
