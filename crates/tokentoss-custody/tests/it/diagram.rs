//! The diagram of statuses is made from the code. With `UPDATE_DIAGRAMS=1` it is written anew.

use std::collections::{BTreeMap, BTreeSet};
use std::{env, fs};

use tokentoss_custody::{ClientRevision, ErrorCause, Event, ExpiredCause, Failure, Revoker, Status};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/diagrams/grant_status.mmd");
const REVISION: ClientRevision = ClientRevision(1);

const EXPIRED: [ExpiredCause; 12] = ExpiredCause::ALL;
const ERRORS: [ErrorCause; 4] = [
    ErrorCause::InvalidClient(REVISION),
    ErrorCause::UnauthorizedClient(REVISION),
    ErrorCause::CellUnreadable,
    ErrorCause::RolledBack,
];
const REVOKERS: [Revoker; 2] = [Revoker::User, Revoker::Admin];

fn statuses() -> Vec<Status> {
    let ended = EXPIRED.map(Status::Expired).into_iter().chain(ERRORS.map(Status::Error));
    std::iter::once(Status::Active).chain(ended).chain(REVOKERS.map(Status::Revoked)).collect()
}

fn events() -> Vec<(Event, &'static str)> {
    let plain =
        [(Event::Renewed, "renewed"), (Event::Confirmed, "confirmed"), (Event::SignedIn, "signed in")];
    let expired =
        EXPIRED.map(|cause| (Event::Ended(cause), Status::Expired(cause).cause().unwrap_or_default()));
    let errors = ERRORS.map(|cause| (Event::Failed(cause), Status::Error(cause).cause().unwrap_or_default()));
    let revoked =
        [(Event::Revoked(Revoker::User), "disconnected"), (Event::Revoked(Revoker::Admin), "revoked")];
    plain.into_iter().chain(expired).chain(errors).chain(revoked).collect()
}

#[test]
fn the_diagram_is_up_to_date() {
    let mut arrows: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for status in statuses() {
        for (event, name) in events() {
            let after = status.after(event);
            if after != status {
                arrows.entry((status.name(), after.name())).or_default().insert(name);
            }
        }
    }
    let mut diagram = String::from("stateDiagram-v2\n  [*] --> active: signed in\n");
    for ((from, to), names) in arrows {
        let names: Vec<_> = names.into_iter().collect();
        diagram += &format!("  {from} --> {to}: {}\n", names.join(", "));
    }
    if env::var_os("UPDATE_DIAGRAMS").is_some() {
        fs::write(PATH, &diagram).expect("a writable folder");
    }
    let checked_in = fs::read_to_string(PATH).expect("the diagram");
    assert_eq!(checked_in, diagram, "out of date: run with UPDATE_DIAGRAMS=1");
}

#[test]
fn nothing_but_a_sign_in_leaves_a_revoked_grant() {
    for by in REVOKERS {
        for (event, _) in events() {
            let after = Status::Revoked(by).after(event);
            assert_eq!(after == Status::Revoked(by), event != Event::SignedIn);
        }
    }
}

#[test]
fn a_status_is_read_back_as_it_was_written() {
    for status in statuses() {
        let revision = status.revision().unwrap_or_default();
        assert_eq!(Status::read(status.name(), status.cause(), revision), Some(status));
    }
    for (name, cause) in
        [("active", Some("user")), ("expired", None), ("expired", Some("rolled_back")), ("gone", None)]
    {
        assert_eq!(Status::read(name, cause, REVISION), None, "{name}");
    }
    for failure in Failure::ALL {
        assert_eq!(Failure::read(failure.name()), Some(failure));
    }
}
