//! What sealed data is bound to: its column, its row, and whom the row speaks for.

use sha2::{Digest, Sha256};
use tokentoss_custody::{CellId, Target};

use crate::store::{AccountKey, AuthorizationId, GrantId};

/// The column that sealed data stands in, as a hash: it does not open in another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column(pub(super) [u8; 16]);

impl Column {
    /// The refresh token of a grant.
    #[must_use]
    pub fn refresh_token() -> Self {
        Self::of(&["refresh_token"])
    }

    /// The ID token of a grant.
    #[must_use]
    pub fn id_token() -> Self {
        Self::of(&["id_token"])
    }

    /// The access token of a grant for this target.
    #[must_use]
    pub fn access_token(target: &Target) -> Self {
        let audience = target.audience.as_deref().unwrap_or_default();
        Self::of(&["access_token", &target.scopes.to_list(), audience])
    }

    /// What a sign-in keeps for its next stage.
    #[must_use]
    pub fn of_sign_in(what: &str) -> Self {
        Self::of(&["sign_in", what])
    }

    fn of(names: &[&str]) -> Self {
        let names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        let hash: [u8; 32] = Sha256::digest(associated(&names)).into();
        let mut column = [0; 16];
        column.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
        Self(column)
    }
}

/// Where something sealed stands. It is part of the associated data.
pub trait AssociatedData {
    /// The column.
    fn column(&self) -> Column;

    /// The associated data: no two places have the same.
    fn associated(&self) -> Vec<u8>;

    /// The associated data of the layout before, where that is still opened.
    fn associated_before(&self) -> Option<Vec<u8>> {
        None
    }
}

/// Where a token of a grant stands.
#[derive(Clone, Copy, Debug)]
pub struct CellAad<'a> {
    /// The account that the grant is of. A row never changes it.
    pub account: AccountKey<'a>,
    /// The grant.
    pub grant: GrantId,
    /// The cell.
    pub cell: CellId,
    /// The column.
    pub column: Column,
}

impl AssociatedData for CellAad<'_> {
    fn column(&self) -> Column {
        self.column
    }

    fn associated(&self) -> Vec<u8> {
        let AccountKey { tenant, user, provider, issuer, subject } = self.account;
        let [tenant, user, provider, issuer, subject] =
            [tenant, user, provider, issuer, subject].map(str::as_bytes);
        let cell = self.cell.0.to_be_bytes();
        associated(&[
            b"tokentoss/cell/2",
            &self.column.0,
            &self.grant.0,
            &cell,
            tenant,
            user,
            provider,
            issuer,
            subject,
        ])
    }

    fn associated_before(&self) -> Option<Vec<u8>> {
        let cell = self.cell.0.to_be_bytes();
        let tenant = self.account.tenant.as_bytes();
        Some([b"tokentoss/cell/1\0".as_slice(), &self.grant.0, &cell, tenant].concat())
    }
}

/// Where a sign-in keeps what its next stage needs.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationAad<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The user whose sign-in it is.
    pub user: &'a str,
    /// The provider's name in the configuration.
    pub provider: &'a str,
    /// The sign-in.
    pub authorization: AuthorizationId,
    /// What it is.
    pub what: &'static str,
}

impl AssociatedData for AuthorizationAad<'_> {
    fn column(&self) -> Column {
        Column::of_sign_in(self.what)
    }

    fn associated(&self) -> Vec<u8> {
        let [tenant, user, provider] = [self.tenant, self.user, self.provider].map(str::as_bytes);
        associated(&[
            b"tokentoss/authorization/2",
            &self.column().0,
            &self.authorization.0,
            tenant,
            user,
            provider,
        ])
    }
}

/// Several parts as one text, each behind its length, so that no two lists of parts are the same text.
fn associated(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().fold(Vec::new(), |mut text, part| {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part);
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Short texts of few letters, so that those of two lists are often the same when they are joined.
    fn parts() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(0..2_u8, 0..4), 0..5)
    }

    fn joined(parts: &[Vec<u8>]) -> Vec<u8> {
        associated(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// Reads the parts again; none if that is no text of parts.
    fn split(mut text: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut parts = Vec::new();
        while !text.is_empty() {
            let (length, rest) = text.split_first_chunk::<8>()?;
            let (part, rest) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
            parts.push(part.to_vec());
            text = rest;
        }
        Some(parts)
    }

    type Texts = [String; 7];

    fn texts() -> impl Strategy<Value = Texts> {
        prop::array::uniform7("[ab]{0,2}")
    }

    fn associated_of([tenant, user, provider, issuer, subject, scopes, audience]: &Texts) -> Vec<u8> {
        let account = AccountKey { tenant, user, provider, issuer, subject };
        let scopes = tokentoss_custody::Scopes::read(scopes);
        let target = Target { scopes, audience: Some(audience.clone()) };
        let column = Column::access_token(&target);
        CellAad { account, grant: GrantId([1; 16]), cell: CellId(7), column }.associated()
    }

    proptest! {
        #[test]
        fn the_parts_can_be_read_again(parts in parts()) {
            prop_assert_eq!(split(&joined(&parts)), Some(parts));
        }

        #[test]
        fn other_parts_are_another_text(one in parts(), other in parts()) {
            prop_assert_eq!(joined(&one) == joined(&other), one == other);
        }

        #[test]
        fn another_place_has_other_associated_data(one in texts(), other in texts(), moved in 0..6_usize) {
            prop_assert_eq!(associated_of(&one) == associated_of(&other), one == other);
            // What one text loses at its end, the next one gets at its beginning.
            let mut shifted = one.clone();
            if let Some(letter) = shifted[moved].pop() {
                shifted[moved + 1].insert(0, letter);
                prop_assert_ne!(associated_of(&one), associated_of(&shifted));
            }
        }
    }

    #[test]
    fn no_two_columns_are_the_same() {
        let target = |scopes: &str, audience: Option<&str>| {
            let scopes = tokentoss_custody::Scopes::read(scopes);
            Column::access_token(&Target { scopes, audience: audience.map(str::to_owned) })
        };
        let columns = [
            Column::refresh_token(),
            Column::id_token(),
            target("", None),
            target("files", None),
            target("", Some("files")),
            target("files", Some("other")),
            Column::of_sign_in("tokens"),
            Column::of_sign_in("verifier"),
            Column::of_sign_in("deposit key"),
        ];
        for (at, one) in columns.iter().enumerate() {
            assert!(columns.iter().skip(at + 1).all(|other| other != one), "{at}");
        }
    }
}
