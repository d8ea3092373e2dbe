//! DNS rebinding: a name is worth nothing, and only addresses that were checked are connected to.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokentoss_broker::through::{Lookup, is_public};
use tokio::net::TcpListener;

use crate::provider::Provider;
use crate::running::{Home, answer};

/// Names whose addresses are refused are never connected to, whatever stands beside them.
#[tokio::test]
async fn a_name_that_means_this_machine_is_refused() {
    let trap = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = trap.local_addr().expect("an address").port();
    let sets: [&[&str]; 14] = [
        &["127.0.0.1"],
        &["8.8.8.8", "127.0.0.1"],
        &["::ffff:127.0.0.1"],
        &["169.254.169.254"],
        &["::1"],
        &["0.0.0.0"],
        // Metadata services, which private addresses do not allow either.
        &["100.100.100.200"],
        &["::ffff:169.254.169.254"],
        &["::ffff:100.100.100.200"],
        &["64:ff9b::a9fe:a9fe"],
        &["fd00:ec2::254"],
        &["fd20:ce::254"],
        &["fd00:c1::a9fe:a9fe"],
        &["10.0.0.1", "fd00:ec2::23"],
    ];
    for (is_private, set) in sets.iter().flat_map(|set| [(false, set), (true, set)]) {
        if is_private && (set.contains(&"127.0.0.1") || set.contains(&"::1")) {
            // Allowed then.
            continue;
        }
        let addresses: Vec<IpAddr> = set.iter().map(|text| text.parse().expect("an address")).collect();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let lookup = Lookup::by(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            let addresses = addresses.clone();
            async move { Ok(addresses) }
        });
        let provider = Provider::start().await;
        let home = Home::new(&provider);
        let rule = format!(
            "[[providers.example.through]]\norigin = \"https://rebind.example:{port}\"\nmethods = [\"GET\"]\n\
             paths = [\"/\"]\nprivate = {is_private}\n"
        );
        let broker = home.start_resolving(&rule, &lookup).await;
        broker.connect("ada", &provider.grant(), 3600).await;
        let path = format!("/v1/through/example/rebind.example:{port}/secrets");
        let response = answer(broker.request("GET", &path, "ada")).await;
        assert_eq!((response.status, response.code()), (403, "target_forbidden"), "{set:?} {is_private}");
        assert_eq!(asked.load(Ordering::Relaxed), 1, "resolved once, and that one was checked");
        broker.stop().await;
    }
    let none = tokio::time::timeout(std::time::Duration::from_millis(1), trap.accept()).await;
    assert!(none.is_err(), "nobody connected");
}

#[test]
fn special_addresses_are_not_public() {
    for text in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "168.63.129.16",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "::8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "5f00::1",
    ] {
        assert!(!is_public(text.parse().expect("an address")), "{text}");
    }
    for text in [
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450::1",
        "2001:4860:4860::8888",
    ] {
        assert!(is_public(text.parse().expect("an address")), "{text}");
    }
}

#[tokio::test]
async fn an_origin_without_private_cannot_be_an_address_of_this_machine() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    for (origin, is_private) in [
        ("https://127.0.0.1", false),
        ("https://2130706433", false),
        ("https://0x7f.1", false),
        ("https://[::ffff:127.0.0.1]", false),
        ("https://169.254.169.254", true),
        ("http://service.example", true),
        ("http://10.0.0.1", true),
        ("https://user@service.example", false),
        ("https://service.example/path", false),
        ("ftp://service.example", false),
    ] {
        let rule = format!(
            "[[providers.example.through]]\norigin = \"{origin}\"\nmethods = [\"GET\"]\npaths = [\"/\"]\nprivate = {is_private}\n"
        );
        let config =
            tokentoss_broker::config::Config::read(&home.configuration(&rule)).expect("a configuration");
        let error =
            tokentoss_broker::server::Server::build(&config).await.err().expect("refused").to_string();
        assert!(error.starts_with("providers.example.through[0].origin: "), "{origin}: {error}");
    }
}
