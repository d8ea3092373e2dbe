//! The key ring and the sealing of cells.

use tokentoss_broker::keys::{CellAad, Key, KeyRing, RingError, Unreadable, open_cell, seal_cell};
use tokentoss_broker::store::GrantId;
use tokentoss_core::Secret;
use tokentoss_custody::CellId;

#[test]
fn a_cell_opens_in_its_place_only() {
    let (key, secret) = (Key::generate(), Secret::new("refresh-1".into()));
    let aad = CellAad { tenant: "acme", grant: GrantId([1; 16]), cell: CellId(7) };
    let sealed = seal_cell(&key, &aad, &secret);
    assert_eq!(open_cell(&key, &aad, &sealed).expect("opens").expose(), "refresh-1");
    assert_ne!(seal_cell(&key, &aad, &secret), sealed, "no nonce twice");
    for other in [
        CellAad { tenant: "acmf", ..aad },
        CellAad { grant: GrantId([2; 16]), ..aad },
        CellAad { cell: CellId(8), ..aad },
    ] {
        assert_eq!(open_cell(&key, &other, &sealed).err(), Some(Unreadable));
    }
    assert_eq!(open_cell(&Key::generate(), &aad, &sealed).err(), Some(Unreadable));
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(open_cell(&key, &aad, &changed).err(), Some(Unreadable));
        assert_eq!(open_cell(&key, &aad, &sealed[..at]).err(), Some(Unreadable));
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
