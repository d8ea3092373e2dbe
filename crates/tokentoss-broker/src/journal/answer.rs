//! A provider's answer in the journal: the report for the state machine, and the sealed cells of its tokens.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tokentoss_core::Timestamp;
use tokentoss_custody::{
    AttemptReport, CellId, Claim, Handle, HeldLease, IdToken, Intent, LeaseOwner, Outcome, Renewed, Scopes,
    Target, TokenHash, Version,
};

use crate::store::{GrantId, NewCell};

/// An answer with tokens.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The grant.
    pub grant: GrantId,
    /// The provider's name in the configuration.
    pub provider: String,
    /// The report for the state machine.
    pub report: AttemptReport,
    /// The sealed cells of the tokens.
    pub cells: Vec<NewCell>,
}

#[derive(Serialize, Deserialize)]
struct AnswerRecord {
    grant: [u8; 16],
    provider: String,
    version: u64,
    target_scopes: String,
    audience: Option<String>,
    sent: HandleRecord,
    intended_at: u64,
    claimed_at: u64,
    is_repeated: bool,
    owner: [u8; 16],
    is_uncertain: bool,
    outcome: OutcomeRecord,
    cells: Vec<([u8; 16], String)>,
}

type HandleRecord = ([u8; 32], [u8; 16]);

#[derive(Serialize, Deserialize)]
enum OutcomeRecord {
    Renewed {
        access: HandleRecord,
        refresh: Option<HandleRecord>,
        id_token: Option<(HandleRecord, u64)>,
        /// Milliseconds.
        expires_in: Option<u64>,
        scopes: Option<String>,
    },
    RotatedOnly(HandleRecord),
}

impl Answer {
    /// Whether an outcome has tokens, so that it must not be lost.
    #[must_use]
    pub const fn has_tokens(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Renewed(_) | Outcome::RotatedOnly(_))
    }

    /// The time since its claim by the database's clock; zero if the clock was set back.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Duration {
        let claimed_at = self.report.held.claim.at.as_millis();
        Duration::from_millis(now.as_millis().saturating_sub(claimed_at))
    }

    /// The serialised answer. Its tokens are in it only as sealed cells.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let claim = &self.report.held.claim;
        let outcome = match &self.report.outcome {
            Outcome::Renewed(renewed) => OutcomeRecord::Renewed {
                access: handle_record(renewed.access),
                refresh: renewed.refresh.map(handle_record),
                id_token: renewed
                    .id_token
                    .map(|token| (handle_record(token.handle), token.expires_at.as_millis())),
                expires_in: renewed
                    .expires_in
                    .map(|life| u64::try_from(life.as_millis()).unwrap_or(u64::MAX)),
                scopes: renewed.scopes.as_ref().map(Scopes::to_list),
            },
            Outcome::RotatedOnly(refresh) => OutcomeRecord::RotatedOnly(handle_record(*refresh)),
            // Outcomes without tokens need no journal.
            _ => return Vec::new(),
        };
        let written = AnswerRecord {
            grant: self.grant.0,
            provider: self.provider.clone(),
            version: claim.version.0,
            target_scopes: claim.target.scopes.to_list(),
            audience: claim.target.audience.clone(),
            sent: handle_record(claim.refresh),
            intended_at: claim.intent.at.as_millis(),
            claimed_at: claim.at.as_millis(),
            is_repeated: claim.is_repeated,
            owner: self.report.held.owner.0.to_be_bytes(),
            is_uncertain: self.report.is_uncertain,
            outcome,
            cells: self
                .cells
                .iter()
                .map(|cell| (cell.id.0.to_be_bytes(), STANDARD.encode(&cell.sealed)))
                .collect(),
        };
        serde_json::to_vec(&written).unwrap_or_default()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let written: AnswerRecord = serde_json::from_slice(bytes).ok()?;
        let refresh = handle(written.sent);
        let claim = Claim {
            version: Version(written.version),
            target: Target { scopes: Scopes::read(&written.target_scopes), audience: written.audience },
            refresh,
            intent: Intent { hash: refresh.hash, at: Timestamp::from_millis(written.intended_at) },
            at: Timestamp::from_millis(written.claimed_at),
            is_repeated: written.is_repeated,
        };
        let outcome = match written.outcome {
            OutcomeRecord::Renewed { access, refresh, id_token, expires_in, scopes } => {
                Outcome::Renewed(Renewed {
                    access: handle(access),
                    refresh: refresh.map(handle),
                    id_token: id_token.map(|(token, expires_at)| IdToken {
                        handle: handle(token),
                        expires_at: Timestamp::from_millis(expires_at),
                    }),
                    expires_in: expires_in.map(Duration::from_millis),
                    scopes: scopes.as_deref().map(Scopes::read),
                })
            }
            OutcomeRecord::RotatedOnly(refresh) => Outcome::RotatedOnly(handle(refresh)),
        };
        let cell = |(id, sealed): ([u8; 16], String)| {
            Some(NewCell { id: CellId(u128::from_be_bytes(id)), sealed: STANDARD.decode(sealed).ok()? })
        };
        Some(Self {
            grant: GrantId(written.grant),
            provider: written.provider,
            report: AttemptReport {
                held: HeldLease { claim, owner: LeaseOwner(u128::from_be_bytes(written.owner)) },
                outcome,
                is_uncertain: written.is_uncertain,
            },
            cells: written.cells.into_iter().map(cell).collect::<Option<_>>()?,
        })
    }
}

const fn handle_record(handle: Handle) -> HandleRecord {
    (handle.hash.0, handle.cell.0.to_be_bytes())
}

const fn handle(written: HandleRecord) -> Handle {
    Handle { hash: TokenHash(written.0), cell: CellId(u128::from_be_bytes(written.1)) }
}
