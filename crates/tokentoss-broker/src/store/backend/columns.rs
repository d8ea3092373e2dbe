//! Values as columns hold them.

use std::time::Duration;

use tokentoss_core::Timestamp;
use tokentoss_custody::{CellId, Handle, TokenHash};

use crate::store::StoreError;

pub(super) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn time(column: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(column).unwrap_or_default())
}

pub(super) fn length(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn number(column: i64) -> u64 {
    u64::try_from(column).unwrap_or_default()
}

pub(super) fn bytes_of(cell: CellId) -> Vec<u8> {
    cell.0.to_be_bytes().to_vec()
}

pub(super) fn hash_of(handle: Handle) -> Vec<u8> {
    handle.hash.0.to_vec()
}

pub(super) fn hash(column: Vec<u8>) -> Result<TokenHash, StoreError> {
    column.try_into().map(TokenHash).map_err(|_| StoreError::Row("a hash".into()))
}

pub(super) fn wide(column: Vec<u8>) -> Result<u128, StoreError> {
    column.try_into().map(u128::from_be_bytes).map_err(|_| StoreError::Row("an identifier".into()))
}

/// A handle from its two columns.
pub(super) fn handle(hashed: Option<Vec<u8>>, cell: Option<Vec<u8>>) -> Result<Option<Handle>, StoreError> {
    let (Some(hashed), Some(cell)) = (hashed, cell) else { return Ok(None) };
    Ok(Some(Handle { hash: hash(hashed)?, cell: CellId(wide(cell)?) }))
}
