//! A real disk, and a small one, is full.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::thread::{CapabilitySet, capabilities};
use serde_json::json;

use super::{STORAGE, connected, is_active, said, told};
use crate::databases::log_of_own_server;
use crate::provider::ProviderBehaviour;
use crate::running::{Home, until};

/// A small disk, which goes with this.
struct Disk(PathBuf);

impl Disk {
    /// None where this process may not mount one.
    fn mount(folder: &Path, size: &str) -> Option<Self> {
        let path = folder.join("disk");
        std::fs::create_dir(&path).expect("made");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&path);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(path));
        }
        assert!(!may_mount(), "no disk can be mounted here; in a container, see that AppArmor allows it");
        println!("no disk can be mounted here: not tried");
        None
    }

    /// Writes until nothing more can be written.
    fn fill(&self) {
        let mut block = vec![7; 65_536];
        let mut file = std::fs::File::create(self.0.join("rubbish")).expect("a file");
        while !block.is_empty() {
            if std::io::Write::write_all(&mut file, &block).is_err() {
                block.truncate(block.len() / 2);
            }
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("rubbish")).expect("removed");
    }
}

/// Whether this process has the capability to mount (capabilities(7)).
fn may_mount() -> bool {
    capabilities(None).is_ok_and(|own| own.effective.contains(CapabilitySet::SYS_ADMIN))
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_disk_that_is_full_for_database_and_journal() {
    let Some(mut home) = Home::on_sqlite().await else { return };
    let Some(disk) = Disk::mount(home.path(), "2m") else { return };
    home.set_database(&format!("sqlite:{}/broker.sqlite", disk.0.display()));
    home.of_broker = format!("journal = \"{}/journal\"", disk.0.display());
    let broker = connected(&home).await;
    disk.fill();
    assert_eq!(said(&told(&broker).await), STORAGE);
    assert!(home.provider.forms().is_empty());
    let ready = format!("http://{}/readyz", broker.admin);
    until(async || broker.http.get(&ready).send().await.expect("an answer").status() == 503).await;
    disk.make_room();
    let held = home.provider.hold().await;
    let meanwhile = async {
        until(async || home.provider.forms().len() == 1).await;
        disk.fill();
        drop(held);
        // Neither takes the answer, which is in memory now.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(broker.custodian.journal().pending_count(), 0);
        disk.make_room();
    };
    let (first, ()) = tokio::join!(told(&broker), meanwhile);
    // Whoever has waited too long is told to come again.
    assert!(first.status == 200 || first.code() == "refresh_busy", "{first:?}");
    until(async || told(&broker).await.body["access_token"] == "access-2").await;
    assert_eq!((home.provider.forms().len(), is_active(&home).await), (1, true));
    broker.stop().await;
}

/// Moves a home's database, which is empty, to a small disk.
async fn move_to(home: &Home, disk: &Disk) {
    // The server runs as somebody else, who has to get there.
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o711)).expect("changed");
    let data = std::fs::metadata(home.text("SHOW data_directory").await).expect("a server on this machine");
    chown(&disk.0, Some(data.uid()), Some(data.gid())).expect("given away");
    let name = home.database_name();
    home.execute_beside(&format!("CREATE TABLESPACE of_{name} LOCATION '{}'", disk.0.display())).await;
    home.execute_beside(&format!("ALTER DATABASE {name} SET TABLESPACE of_{name}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_disk_that_is_full_for_postgres() {
    let Some(home) = Home::on_postgres().await else { return };
    if log_of_own_server().is_none() {
        println!("the server is another's: not tried");
        return;
    }
    let Some(disk) = Disk::mount(home.path(), "16m") else { return };
    move_to(&home, &disk).await;
    let broker = connected(&home).await;
    // Too large for what is left of the pages that there are.
    let long: String = (0..30_000).map(|number| char::from(b'a' + (number % 26) as u8)).collect();
    let body = json!({"access_token": long, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "refresh-2"});
    home.provider.set(ProviderBehaviour::Respond(200, Box::leak(body.to_string().into_boxed_str())));
    disk.fill();
    let meanwhile = async {
        until(async || broker.custodian.journal().pending_count() == 1).await;
        disk.make_room();
    };
    let (first, ()) = tokio::join!(told(&broker), meanwhile);
    assert!(first.status == 200 || said(&first) == STORAGE || first.code() == "refresh_busy", "{first:?}");
    until(async || told(&broker).await.body["access_token"] == long.as_str()).await;
    assert_eq!((home.provider.forms().len(), is_active(&home).await), (1, true));
    until(async || broker.custodian.journal().pending_count() == 0).await;
    broker.stop().await;
    let name = home.database_name();
    home.execute_beside(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    home.execute_beside(&format!("DROP TABLESPACE of_{name}")).await;
}
