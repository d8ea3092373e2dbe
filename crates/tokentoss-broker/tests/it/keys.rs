//! The key ring and the sealing of cells.

use tokentoss_broker::keys::{
    AuthorizationAad, CellAad, Column, Key, KeyRing, RingError, Unreadable, open_cell, seal_cell,
};
use tokentoss_broker::store::{AccountKey, AuthorizationId, GrantId};
use tokentoss_core::Secret;
use tokentoss_custody::{CellId, Scopes, Target};

#[test]
fn a_cell_opens_in_its_place_only() {
    let (key, secret) = (Key::generate(), Secret::new("refresh-1".into()));
    let issuer = "https://as.example";
    let account = AccountKey { tenant: "acme", user: "ada", provider: "example", issuer, subject: "1" };
    let columns = [
        Column::refresh_token(),
        Column::id_token(),
        Column::access_token(&Target::default()),
        Column::access_token(&Target { scopes: Scopes::read("files"), audience: None }),
        Column::access_token(&Target { scopes: Scopes::default(), audience: Some("files".into()) }),
        Column::of_sign_in("tokens"),
    ];
    let place = CellAad { account, grant: GrantId([1; 16]), cell: CellId(7), column: columns[0] };
    for column in columns {
        let sealed = seal_cell(&key, &CellAad { column, ..place }, &secret);
        for other in columns {
            let opened = open_cell(&key, &CellAad { column: other, ..place }, &sealed);
            assert_eq!(opened.is_ok(), column == other);
        }
    }
    let sealed = seal_cell(&key, &place, &secret);
    assert_eq!(open_cell(&key, &place, &sealed).expect("opens").expose(), "refresh-1");
    assert_ne!(seal_cell(&key, &place, &secret), sealed, "no nonce twice");
    for other in [
        CellAad { account: AccountKey { tenant: "acmf", ..account }, ..place },
        CellAad { account: AccountKey { user: "mallory", ..account }, ..place },
        CellAad { account: AccountKey { provider: "other", ..account }, ..place },
        CellAad { account: AccountKey { issuer: "https://other.example", ..account }, ..place },
        CellAad { account: AccountKey { subject: "2", ..account }, ..place },
        CellAad { grant: GrantId([2; 16]), ..place },
        CellAad { cell: CellId(8), ..place },
    ] {
        assert_eq!(open_cell(&key, &other, &sealed).err(), Some(Unreadable));
    }
    assert_eq!(open_cell(&Key::generate(), &place, &sealed).err(), Some(Unreadable));
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(open_cell(&key, &place, &changed).err(), Some(Unreadable));
        assert_eq!(open_cell(&key, &place, &sealed[..at]).err(), Some(Unreadable));
    }
}

#[test]
fn what_a_sign_in_keeps_opens_in_its_place_only() {
    let (key, secret) = (Key::generate(), Secret::new("{}".into()));
    let authorization = AuthorizationId([1; 16]);
    let place =
        AuthorizationAad { tenant: "acme", user: "ada", provider: "example", authorization, what: "tokens" };
    let sealed = seal_cell(&key, &place, &secret);
    assert!(open_cell(&key, &place, &sealed).is_ok());
    for other in [
        AuthorizationAad { tenant: "acmf", ..place },
        AuthorizationAad { user: "mallory", ..place },
        AuthorizationAad { provider: "other", ..place },
        AuthorizationAad { authorization: AuthorizationId([2; 16]), ..place },
        AuthorizationAad { what: "verifier", ..place },
    ] {
        assert_eq!(open_cell(&key, &other, &sealed).err(), Some(Unreadable));
    }
}

#[test]
fn a_data_key_is_wrapped_for_its_tenant() {
    let ring = KeyRing::read(&KeyRing::generate("2026")).expect("a ring");
    let key = Key::generate();
    let wrapped = ring.wrap(&key, "acme");
    assert!(ring.is_current(&wrapped));
    assert!(ring.unwrap(&wrapped, "acme").is_ok());
    assert_eq!(ring.unwrap(&wrapped, "other").err(), Some(Unreadable));
    let another = KeyRing::read(&KeyRing::generate("2026")).expect("a ring");
    assert_eq!(another.unwrap(&wrapped, "acme").err(), Some(Unreadable));
    for end in 0..wrapped.len() {
        assert_eq!(ring.unwrap(&wrapped[..end], "acme").err(), Some(Unreadable));
    }
    assert_eq!(format!("{key:?}"), "Key(…)");
    assert!(!format!("{ring:?}").contains(&*KeyRing::generate("2026")));
}

#[test]
fn a_malformed_key_ring_is_refused() {
    for (text, error) in [
        ("", RingError::Malformed),
        ("primary = 'a'", RingError::Malformed),
        ("primary = 'a'\n[keys]\na = 7", RingError::Malformed),
        ("primary = 'a'\nx = 1\n[keys]\na = 'AA'", RingError::Malformed),
        ("primary = 'a'\n[keys]\na = 'AA'", RingError::Key("a".into())),
        ("primary = 'a'\n[keys]\n", RingError::Primary("a".into())),
    ] {
        assert_eq!(KeyRing::read(text).err(), Some(error), "{text}");
    }
}
