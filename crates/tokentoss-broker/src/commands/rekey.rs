//! `rekey`: key rotation for stored data, while brokers run.
//!
//! It can be interrupted at any time and started again: the progress is in the rows, and every write is a
//! compare-and-swap. Brokers cache opened data keys for half a minute, so each stage of a new data key lasts
//! longer than that.

mod cells;
mod stages;

use std::time::Duration;

use clap::Args;

use super::{BATCH, CommandError, open};
use crate::config::Config;
use crate::keys::{DataKeySet, KeyRing};
use crate::server::key_ring;
use crate::store::{Store, StoreError};

/// The most attempts; a race between two administrators needs fewer.
const TRIES: usize = 64;

/// The arguments.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Give each tenant a fresh data key, and seal its cells by it. Without this, the data keys stay as they
    /// are, and are only wrapped anew by the ring's primary key.
    #[arg(long)]
    cells: bool,
    /// Also drop former data keys that seal nothing and were replaced more than an hour ago.
    #[arg(long)]
    forget: bool,
    /// Only this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// How long running brokers may take until they know a new data key and have ended what they began with
    /// the old one, in seconds; two minutes are enough. With no broker running it can be 0.
    #[arg(long, default_value_t = 120, requires = "cells")]
    settle_seconds: u64,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), CommandError> {
    let ring = key_ring(&config.key_ring)?;
    let work = Work { store: open(config).await?, ring, tenant: arguments.tenant.clone() };
    let wrapped = work.wrap().await?;
    println!("{wrapped} tenants' data keys wrapped anew by the primary key");
    if arguments.cells {
        work.renew(Duration::from_secs(arguments.settle_seconds)).await?;
    }
    if arguments.forget {
        let resealed = work.reseal().await?;
        println!("{resealed} cells sealed anew");
        println!("{} former data keys dropped", work.forget().await?);
    }
    work.store.close().await;
    Ok(())
}

/// The state that the stages share.
struct Work {
    store: Store,
    ring: KeyRing,
    tenant: Option<String>,
}

impl Work {
    /// Wraps data keys with the primary key that another key wrapped.
    async fn wrap(&self) -> Result<u64, CommandError> {
        let mut count = 0;
        let mut tenants = Tenants::of(self);
        while let Some((tenant, _)) = tenants.next().await? {
            count += u64::from(self.change(&tenant, |_| true, |row| !self.ring.is_current(row)).await?);
        }
        Ok(count)
    }

    /// Changes the keys of a tenant, and tries again after a conflict; false if there is nothing to change.
    async fn change(
        &self,
        tenant: &str,
        change: impl Fn(&mut DataKeySet) -> bool,
        is_due: impl Fn(&[u8]) -> bool,
    ) -> Result<bool, CommandError> {
        for _ in 0..TRIES {
            let Some(row) = self.store.data_key(tenant).await? else { return Ok(false) };
            let mut set = self.opened(tenant, &row)?;
            if !is_due(&row) || !change(&mut set) {
                return Ok(false);
            }
            if self.store.replace_data_key(tenant, &row, &set.close(&self.ring, tenant)).await? {
                tracing::info!(target: "audit", action = "rekey", tenant, "changed a tenant's data keys");
                return Ok(true);
            }
        }
        Err(StoreError::Contended.into())
    }

    fn opened(&self, tenant: &str, row: &[u8]) -> Result<DataKeySet, CommandError> {
        DataKeySet::open(&self.ring, row, tenant).map_err(|_| {
            let shown = tenant.escape_debug();
            format!("the data key of tenant {shown} cannot be opened; keep its key in the ring until rekey is done")
                .into()
        })
    }
}

/// The tenants with their wrapped data keys, in batches.
struct Tenants<'a> {
    work: &'a Work,
    after: String,
    batch: std::vec::IntoIter<(String, Vec<u8>)>,
}

impl<'a> Tenants<'a> {
    fn of(work: &'a Work) -> Self {
        Self { work, after: String::new(), batch: Vec::new().into_iter() }
    }

    async fn next(&mut self) -> Result<Option<(String, Vec<u8>)>, CommandError> {
        loop {
            for (tenant, row) in self.batch.by_ref() {
                if self.work.tenant.as_ref().is_none_or(|only| *only == tenant) {
                    return Ok(Some((tenant, row)));
                }
            }
            let batch = self.work.store.tenants_after(&self.after, BATCH).await?;
            let Some((last, _)) = batch.last() else { return Ok(None) };
            self.after.clone_from(last);
            self.batch = batch.into_iter();
        }
    }
}
