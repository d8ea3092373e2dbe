//! The file of the Unix socket: its rights, what is there before it, and what is left of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use tokentoss_broker::config::Config;
use tokentoss_broker::server::Server;
use tokentoss_broker::through::Lookup;

use crate::commands::{out, run};
use crate::provider::Provider;
use crate::running::{Broker, Home};

fn lines(socket: &Path, mode: &str) -> String {
    format!("[socket]\npath = {socket:?}\n{mode}\n")
}

async fn start(home: &Home, mode: &str) -> (Broker, PathBuf) {
    let socket = home.path().join("broker.sock");
    (home.start_resolving(&lines(&socket, mode), &Lookup::of_system()).await, socket)
}

/// Why no broker starts.
async fn refusal(home: &Home, more: &str) -> String {
    let config = Config::read(&home.configuration(more)).expect("a configuration");
    Server::build(&config).await.err().expect("refused").to_string()
}

#[tokio::test]
async fn it_has_its_rights_and_goes_at_the_end() {
    let home = Home::new(&Provider::start().await);
    for (setting, mode) in [("", 0o600), ("mode = 0o660", 0o660), ("mode = 0o666", 0o666)] {
        let (broker, socket) = start(&home, setting).await;
        let there = fs::symlink_metadata(&socket).expect("a file");
        assert!(there.file_type().is_socket());
        assert_eq!(there.permissions().mode() & 0o777, mode);
        assert!(!home.path().join("broker.sock.new").exists());
        broker.stop().await;
        assert!(fs::symlink_metadata(&socket).is_err(), "it is gone");
    }
}

#[tokio::test]
async fn what_a_killed_broker_left_is_replaced() {
    let home = Home::new(&Provider::start().await);
    let socket = home.path().join("broker.sock");
    drop(UnixListener::bind(&socket).expect("bound"));
    let making = home.path().join("broker.sock.new");
    fs::create_dir(&making).expect("made");
    drop(UnixListener::bind(making.join("s")).expect("bound"));
    assert!(UnixStream::connect(&socket).is_err(), "nobody listens");
    let (broker, socket) = start(&home, "").await;
    UnixStream::connect(&socket).expect("somebody listens");
    broker.stop().await;
}

#[tokio::test]
async fn what_is_anothers_stays() {
    let home = Home::new(&Provider::start().await);
    let socket = home.path().join("broker.sock");
    let more = lines(&socket, "");
    let other = UnixListener::bind(&socket).expect("bound");
    assert!(refusal(&home, &more).await.ends_with("another process serves it"));
    UnixStream::connect(&socket).expect("it listens still");
    drop(other);
    fs::remove_file(&socket).expect("removed");

    fs::write(&socket, "a letter").expect("written");
    assert!(refusal(&home, &more).await.contains("is no socket"));
    assert_eq!(fs::read_to_string(&socket).expect("a file"), "a letter");
    fs::remove_file(&socket).expect("removed");

    let elsewhere = home.path().join("elsewhere");
    drop(UnixListener::bind(&elsewhere).expect("bound"));
    symlink(&elsewhere, &socket).expect("linked");
    assert!(refusal(&home, &more).await.contains("is no socket"), "a link is not followed");
    assert!(elsewhere.exists());
    fs::remove_file(&socket).expect("removed");

    let (broker, _) = start(&home, "").await;
    assert!(refusal(&home, &more).await.ends_with("another process serves it"), "two brokers");
    UnixStream::connect(&socket).expect("the first one listens still");
    fs::remove_file(&socket).expect("removed");
    let _other = UnixListener::bind(&socket).expect("bound");
    broker.stop().await;
    UnixStream::connect(&socket).expect("the end of one broker takes nothing of another process");
}

#[tokio::test]
async fn settings_that_are_not_safe() {
    let home = Home::new(&Provider::start().await);
    let socket = home.path().join("broker.sock");
    let open = home.path().join("open");
    fs::create_dir(&open).expect("made");
    fs::set_permissions(&open, Permissions::from_mode(0o775)).expect("changed");
    let key = format!("keys = [\"{}/other.key\"]", home.path().display());
    fs::write(home.path().join("other.key"), "the-key-of-another-server-on-the-network").expect("written");
    let with = |more: &str| lines(&socket, more);
    for (more, problem) in [
        (with("mode = 660"), "socket.mode: must be 0o600"),
        (with("mode = 0o777"), "socket.mode: must be 0o600"),
        (lines(Path::new("broker.sock"), ""), "socket.path: must be an absolute file path"),
        (lines(&open.join("broker.sock"), ""), "socket.path: "),
        (lines(&home.path().join("x".repeat(100)), ""), "socket.path: must be at most"),
        (lines(Path::new("/nowhere/broker.sock"), ""), "socket.path: /nowhere does not exist"),
        (with("tenant = \"a b\""), "socket.tenant: "),
        (with("tenant = \"acme\"\nfirst_uid = 0"), "socket.first_uid: must not be 0"),
        (format!("[callers.a]\nunix_user = 1\n{key}"), "callers.a.unix_user: needs a socket"),
        (with("[callers.a]\nunix_user = \"nobody-at-all\""), "callers.a.unix_user: this machine has no user"),
        (with("[callers.a]\nunix_user = 65534"), "callers.a.unix_user: this id stands for"),
        (with("[callers.a]\nunix_user = 4294967295"), "callers.a.unix_user: this id stands for"),
        (
            with("[callers.a]\nunix_user = 1\n[callers.b]\nunix_user = \"daemon\""),
            "callers.b.unix_user: another",
        ),
        (with("[callers.a]\nunix_user = 1\nuser = \"ada\""), "callers.a.user: "),
        (with("[callers.a]\ntenant = \"acme\"\nuser = \"ada\""), "callers.a.keys: "),
    ] {
        let error = refusal(&home, &more).await;
        assert!(error.starts_with(problem), "{error}\n{more}");
        let checked = run(&home.configuration(&more), &["check"]).await;
        let told: Vec<String> = out(&checked).lines().map(str::to_owned).collect();
        let told = told.iter().filter(|line| line.starts_with(&format!("problem: {problem}"))).count();
        assert_eq!((checked.status.success(), told), (false, 1), "{checked:?}");
    }
    assert!(!socket.exists());
}

#[tokio::test]
async fn callers_are_listed_with_the_users_that_they_are() {
    let home = Home::new(&Provider::start().await);
    let socket = home.path().join("broker.sock");
    let more = lines(
        &socket,
        "tenant = \"machine\"\n[callers.ada]\nunix_user = 1\ntenant = \"acme\"\nuser = \"ada\"",
    );
    let listed = out(&run(&home.configuration(&more), &["callers"]).await);
    assert!(
        listed.contains("ada  0 keys  user 1 of this machine  asks for user ada of tenant acme"),
        "{listed}"
    );
    assert!(listed.contains("users of this machine from 1000  each asks for its name in tenant machine"));
}
