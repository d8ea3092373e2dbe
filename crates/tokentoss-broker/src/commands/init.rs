//! `init`: creates a key ring with a new key.

use super::CommandError;
use super::callers::write_secret;
use crate::config::Config;
use crate::keys::KeyRing;

pub(super) fn run(config: &Config) -> Result<(), CommandError> {
    let path = config.key_ring.path("key_ring")?;
    let path = path.ok_or("the key ring is in an environment variable; write a file first")?;
    // An existing key ring is never overwritten, because its data could not be opened any more.
    write_secret(&path, &KeyRing::generate("first"))?;
    println!("wrote {}; keep a copy where the database's backups are not", path.display());
    Ok(())
}
