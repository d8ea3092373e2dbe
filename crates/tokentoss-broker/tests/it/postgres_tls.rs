//! Whom the broker takes for its Postgres.

use tokentoss_broker::commands::with_causes;
use tokentoss_broker::store::Store;

use crate::databases::{is_second_run, postgres};

/// What came of opening the server's database at an address that differs so.
async fn opened(address: &str, mode: &str) -> Result<(), String> {
    match Store::open(&format!("{address}?{mode}")).await {
        Ok(store) => {
            store.close().await;
            Ok(())
        }
        Err(error) => Err(with_causes(&error)),
    }
}

#[tokio::test]
async fn only_a_server_with_a_certificate_that_is_trusted_is_talked_to() {
    let Some(address) = (if is_second_run() { None } else { postgres() }) else { return };
    let certificate = std::env::var("TOKENTOSS_TEST_POSTGRES_CERTIFICATE").expect("beside the server");
    let trusted = format!("sslmode=verify-full&sslrootcert={certificate}");
    assert_eq!(opened(&address, &trusted).await, Ok(()));
    let stranger = opened(&address, "sslmode=verify-full").await.expect_err("nobody vouches for it");
    assert!(stranger.starts_with("the database does not answer: "), "{stranger}");
    assert!(stranger.contains("UnknownIssuer"), "{stranger}");
    let other = address.replace("127.0.0.1", "localhost");
    let misnamed = opened(&other, &trusted).await.expect_err("it has another name");
    assert!(misnamed.contains("not valid for name"), "{misnamed}");
}
