//! The statuses of a grant, and the table of their transitions.

use crate::handle::ClientRevision;

/// Why the user must sign in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExpiredCause {
    /// The provider does not know the refresh token any more.
    InvalidGrant,
    /// The refresh token has expired.
    GrantExpired,
    /// The user or an administrator revoked the access at the provider.
    GrantRevoked,
    /// The provider repeatedly answers `invalid_request`, which some do for a forgotten refresh token.
    GrantForgotten,
    /// The organisation requires the user to reauthenticate (Google's `invalid_rapt`).
    InvalidRapt,
    /// The organisation does not allow this client (Google's `admin_policy_enforced`).
    AdminPolicyEnforced,
    /// The refresh token is unknown, after a lost answer that may have contained its successor.
    RefreshInterrupted,
    /// There is no refresh token, and the access token has ended.
    RefreshTokenMissing,
    /// The provider wants to show the user something.
    InteractionRequired,
    /// The provider wants the user's consent.
    ConsentRequired,
    /// The provider wants the user to log in.
    LoginRequired,
    /// The user or an administrator refused.
    AccessDenied,
}

/// Why an administrator is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorCause {
    /// The provider accepts none of the client's secrets of this revision.
    InvalidClient(ClientRevision),
    /// The client of this revision may not refresh.
    UnauthorizedClient(ClientRevision),
    /// A sealed cell is missing or cannot be opened.
    CellUnreadable,
    /// The row is older than one that was written before.
    RolledBack,
}

/// Who ended a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Revoker {
    /// The user disconnected.
    User,
    /// An administrator did.
    Admin,
}

/// The status of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Tokens can be issued, now or after a transient failure.
    Active,
    /// The user must sign in again.
    Expired(ExpiredCause),
    /// An administrator must act.
    Error(ErrorCause),
    /// Ended by the user or an administrator.
    Revoked(Revoker),
}

/// An event that changes a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The provider issued new tokens.
    Renewed,
    /// The provider ended the grant, or nothing is left to refresh it with.
    Ended(ExpiredCause),
    /// A problem that only an administrator can solve.
    Failed(ErrorCause),
    /// An administrator confirmed the row.
    Confirmed,
    /// The user signed in.
    SignedIn,
    /// The user or an administrator ended the grant.
    Revoked(Revoker),
}

impl ExpiredCause {
    /// Every cause.
    pub const ALL: [Self; 12] = [
        Self::InvalidGrant,
        Self::GrantExpired,
        Self::GrantRevoked,
        Self::GrantForgotten,
        Self::InvalidRapt,
        Self::AdminPolicyEnforced,
        Self::RefreshInterrupted,
        Self::RefreshTokenMissing,
        Self::InteractionRequired,
        Self::ConsentRequired,
        Self::LoginRequired,
        Self::AccessDenied,
    ];

    /// The name in the database and in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidGrant => "invalid_grant",
            Self::GrantExpired => "grant_expired",
            Self::GrantRevoked => "grant_revoked",
            Self::GrantForgotten => "grant_forgotten",
            Self::InvalidRapt => "invalid_rapt",
            Self::AdminPolicyEnforced => "admin_policy_enforced",
            Self::RefreshInterrupted => "refresh_interrupted",
            Self::RefreshTokenMissing => "refresh_token_missing",
            Self::InteractionRequired => "interaction_required",
            Self::ConsentRequired => "consent_required",
            Self::LoginRequired => "login_required",
            Self::AccessDenied => "access_denied",
        }
    }

    /// Whether this cause may follow a lost answer that replaced the refresh token.
    pub(crate) const fn may_follow_a_lost_answer(self) -> bool {
        matches!(self, Self::InvalidGrant | Self::GrantRevoked | Self::GrantForgotten)
    }
}

impl Status {
    /// Parses the status columns of a row: name, cause and client revision; none for unknown values.
    #[must_use]
    pub fn read(name: &str, cause: Option<&str>, revision: ClientRevision) -> Option<Self> {
        Some(match (name, cause) {
            ("active", None) => Self::Active,
            ("expired", Some(cause)) => {
                Self::Expired(ExpiredCause::ALL.into_iter().find(|known| known.name() == cause)?)
            }
            ("error", Some("invalid_client")) => Self::Error(ErrorCause::InvalidClient(revision)),
            ("error", Some("unauthorized_client")) => Self::Error(ErrorCause::UnauthorizedClient(revision)),
            ("error", Some("cell_unreadable")) => Self::Error(ErrorCause::CellUnreadable),
            ("error", Some("rolled_back")) => Self::Error(ErrorCause::RolledBack),
            ("revoked", Some("user")) => Self::Revoked(Revoker::User),
            ("revoked", Some("admin")) => Self::Revoked(Revoker::Admin),
            _ => return None,
        })
    }

    /// The client revision that the cause refers to.
    #[must_use]
    pub const fn revision(self) -> Option<ClientRevision> {
        match self {
            Self::Error(ErrorCause::InvalidClient(seen) | ErrorCause::UnauthorizedClient(seen)) => Some(seen),
            _ => None,
        }
    }

    /// The status after an event. Only a sign-in leaves [`Status::Revoked`].
    #[must_use]
    pub const fn after(self, event: Event) -> Self {
        match (self, event) {
            (Self::Revoked(_), Event::SignedIn) => Self::Active,
            (Self::Revoked(_), _) => self,
            (_, Event::SignedIn) => Self::Active,
            (_, Event::Revoked(by)) => Self::Revoked(by),
            // The lost rows may contain a sign-out, so new tokens are stored but not used.
            (Self::Error(ErrorCause::RolledBack), Event::Renewed | Event::Ended(_) | Event::Failed(_)) => {
                self
            }
            (_, Event::Renewed) => Self::Active,
            (_, Event::Failed(ErrorCause::RolledBack)) => Self::Error(ErrorCause::RolledBack),
            (Self::Expired(_), Event::Ended(_) | Event::Failed(_) | Event::Confirmed) => self,
            (_, Event::Ended(cause)) => Self::Expired(cause),
            (_, Event::Failed(cause)) => Self::Error(cause),
            (_, Event::Confirmed) => Self::Active,
        }
    }

    /// The name in the database and in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired(_) => "expired",
            Self::Error(_) => "error",
            Self::Revoked(_) => "revoked",
        }
    }

    /// The cause in the database and in answers; none while active.
    #[must_use]
    pub const fn cause(self) -> Option<&'static str> {
        Some(match self {
            Self::Active => return None,
            Self::Expired(cause) => cause.name(),
            Self::Error(ErrorCause::InvalidClient(_)) => "invalid_client",
            Self::Error(ErrorCause::UnauthorizedClient(_)) => "unauthorized_client",
            Self::Error(ErrorCause::CellUnreadable) => "cell_unreadable",
            Self::Error(ErrorCause::RolledBack) => "rolled_back",
            Self::Revoked(Revoker::User) => "user",
            Self::Revoked(Revoker::Admin) => "admin",
        })
    }

    /// Whether a request to the provider may help, given the client's present revision.
    #[must_use]
    pub fn allows_refresh(self, revision: ClientRevision) -> bool {
        match self {
            Self::Active => true,
            Self::Error(ErrorCause::InvalidClient(seen) | ErrorCause::UnauthorizedClient(seen)) => {
                revision > seen
            }
            Self::Error(_) | Self::Expired(_) | Self::Revoked(_) => false,
        }
    }
}
