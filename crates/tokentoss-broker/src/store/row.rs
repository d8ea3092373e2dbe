//! The rows that are written to and read from the database.

use std::time::Duration;

use tokentoss_core::Timestamp;
use tokentoss_custody::{CellId, ClientRevision, Grant, HeldLease};

use super::{AccountKey, AuthorizationId, GrantId, ProviderUser, UnreadableGrants};

/// A grant as it was read.
#[derive(Clone, Debug)]
pub struct GrantRow {
    /// The identifier.
    pub id: GrantId,
    /// The tenant.
    pub tenant: String,
    /// The user within the tenant.
    pub user: String,
    /// The provider's name in the configuration.
    pub provider: String,
    /// The issuer of the tokens.
    pub issuer: String,
    /// The provider's identifier of the user.
    pub subject: String,
    /// The e-mail address, for display.
    pub email: Option<String>,
    /// The state that the custody machine decides on.
    pub grant: Grant,
    /// The database's clock when it was read.
    pub now: Timestamp,
}

impl GrantRow {
    /// The account that it is of.
    #[must_use]
    pub fn account(&self) -> AccountKey<'_> {
        let Self { tenant, user, provider, issuer, subject, .. } = self;
        AccountKey { tenant, user, provider, issuer, subject }
    }

    /// Whether it is one of these accounts.
    #[must_use]
    pub fn is_of(&self, provider_user: &ProviderUser) -> bool {
        let ProviderUser { tenant, user, provider } = provider_user;
        self.tenant == *tenant && self.user == *user && self.provider == *provider
    }
}

/// The query of the scheduler for due grants.
#[derive(Clone, Copy, Debug)]
pub struct DueQuery<'a> {
    /// The provider's name in the configuration.
    pub provider: &'a str,
    /// The provider's issuer; none where the configuration names none.
    pub issuer: Option<&'a str>,
    /// The current revision of the client.
    pub revision: ClientRevision,
    /// The tenants to skip, because this broker cannot open their data keys.
    pub closed: &'a [String],
    /// The grants to skip; unreadable ones are added.
    pub unreadable_grants: &'a UnreadableGrants,
}

/// A grant that is due for the scheduler.
#[derive(Clone, Debug)]
pub struct DueGrant {
    /// The row, as it was before the claim.
    pub row: GrantRow,
    /// The lease; none if the row must be corrected first.
    pub held: Option<HeldLease>,
}

/// A token that waits to be revoked at its provider.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// The cell with the token.
    pub cell: CellId,
    /// The grant of the token.
    pub grant: GrantId,
    /// The tenant.
    pub tenant: String,
    /// The user within the tenant.
    pub user: String,
    /// The provider's name in the configuration, which may have it no more.
    pub provider: String,
    /// The issuer of the token.
    pub issuer: String,
    /// The provider's identifier of the user.
    pub subject: String,
    /// The sealed token.
    pub sealed: Vec<u8>,
    /// Whether the user has signed in again since.
    pub is_connected_again: bool,
    /// How often it failed.
    pub failures: u32,
    /// How long it has been waiting.
    pub age: Duration,
}

impl Revocation {
    /// The account that the token is of.
    #[must_use]
    pub fn account(&self) -> AccountKey<'_> {
        let Self { tenant, user, provider, issuer, subject, .. } = self;
        AccountKey { tenant, user, provider, issuer, subject }
    }
}

/// A new grant.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// The identifier.
    pub id: GrantId,
    /// The tenant.
    pub tenant: String,
    /// The user within the tenant.
    pub user: String,
    /// The provider's name in the configuration.
    pub provider: String,
    /// The provider's issuer identifier, or its authorization endpoint's origin where it has none.
    pub issuer: String,
    /// The provider's identifier of the user.
    pub subject: String,
    /// The e-mail address, for display.
    pub email: Option<String>,
    /// The row.
    pub grant: Grant,
    /// The sign-in that is done by the transaction that writes the grant.
    pub sign_in: Option<AuthorizationId>,
}

/// A sealed cell that is to be written with a row.
#[derive(Clone, Debug)]
pub struct NewCell {
    /// The identifier.
    pub id: CellId,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}
