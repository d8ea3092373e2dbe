//! Sign-ins that nobody confirmed: what they brought does not stay.

use serde_json::json;

use super::{Browser, begin, home, id_of, view, way_back};
use crate::running::Home;

#[tokio::test]
async fn tokens_that_nobody_confirmed_leave_the_database() {
    for of_database in Home::all().await {
        let mut home = home(&of_database.provider, "page");
        home.set_database(&of_database.database());
        let broker = home.start().await;
        let id = id_of(&begin(&broker, "ada", json!({})).await);
        let browser = Browser::default();
        let back = way_back(&broker, &browser, &home.provider, &id, "ada").await;
        browser.get(&broker, &back).await;
        let secrets = "SELECT COUNT(*) FROM authorizations WHERE sealed IS NOT NULL";
        broker.custodian.tidy().await;
        assert_eq!(home.number(secrets).await, 1, "it can still be confirmed");
        home.execute("UPDATE authorizations SET expires_at = expires_at - 1800000").await;
        broker.custodian.tidy().await;
        assert_eq!(home.number(secrets).await, 0);
        assert_eq!(view(&broker, "ada", &id).await.body["status"], "expired");
        home.execute("UPDATE authorizations SET expires_at = 0").await;
        broker.custodian.tidy().await;
        assert_eq!(home.number("SELECT COUNT(*) FROM authorizations").await, 0);
    }
}
