//! What the table of providers says reaches the schedule of grants.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::provider::Provider;
use crate::running::Home;

const TABLE: &str = include_str!("../../providers.json");
const DAY: u64 = 86_400_000;
/// Where neither the table nor the configuration says it.
const USUAL: u64 = 180;

#[tokio::test]
async fn idle_grants_are_refreshed_before_the_provider_forgets_them() {
    let table: Value = serde_json::from_str(TABLE).expect("JSON");
    let (mut lines, mut days) = (String::new(), BTreeMap::new());
    let of_client = "client_id = \"x\"\nauthentication = \"none\"";
    for (name, entry) in table["providers"].as_object().expect("entries") {
        writeln!(lines, "[providers.{name}]\npreset = \"{name}\"\n{of_client}").expect("written");
        for (parameter, described) in entry["parameters"].as_object().into_iter().flatten() {
            writeln!(lines, "parameters.{parameter} = {}", described["example"]).expect("written");
        }
        days.insert(name.clone(), entry["forgets_after_days"].as_u64().unwrap_or(USUAL));
    }
    assert_eq!((days["box"], days["microsoft"]), (60, 90));
    writeln!(lines, "[providers.own]\npreset = \"box\"\n{of_client}\nforgets_after_days = 12")
        .expect("written");
    days.insert("own".to_owned(), 12);
    let broker = Home::new(&Provider::start().await).start_kept_with(&lines).await;
    for (name, days) in days {
        let id = broker.connect_at(&name, "ada", "refresh").await;
        let grant = broker.custodian.store.grant(id).await.expect("an answer").expect("a row").grant;
        let rest = grant.schedule.keep_alive_at.as_millis() - grant.renewed_at.as_millis();
        // Two thirds of the time, or up to a tenth of it earlier.
        let (earliest, latest) = (days * DAY * 56 / 100, days * DAY * 2 / 3);
        assert!((earliest..=latest).contains(&rest), "{name}: {rest} of {days} days");
    }
}
