//! Problems of signing in.

use axum::http::StatusCode;

use super::Problem;

impl Problem {
    /// This provider's sign-in goes another way, or no way.
    #[must_use]
    pub const fn way_unavailable() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "way_unavailable",
            "ask_admin",
            "The broker has no such sign-in for this provider. Ask its administrator to configure one.",
        )
    }

    /// A page of this origin may not begin a sign-in.
    #[must_use]
    pub const fn origin_forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "origin_forbidden",
            "ask_admin",
            "Pages of this origin may not sign in here. Ask the broker's administrator to add it to pages.",
        )
    }

    /// A scope that callers may not ask for.
    #[must_use]
    pub const fn scope_forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "scope_forbidden",
            "ask_admin",
            "One of the scopes may not be asked for here. Ask the broker's administrator to add it to further_scopes.",
        )
    }

    /// There is no such sign-in for this caller.
    #[must_use]
    pub const fn authorization_unknown() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "authorization_unknown",
            "sign_in",
            "There is no such sign-in. Begin a new one.",
        )
    }

    /// The sign-in is over.
    #[must_use]
    pub const fn authorization_expired() -> Self {
        Self::new(
            StatusCode::GONE,
            "authorization_expired",
            "sign_in",
            "This sign-in has ended. Begin a new one.",
        )
    }

    /// The confirmation is another one.
    #[must_use]
    pub const fn confirmation_wrong() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "confirmation_wrong",
            "sign_in",
            "This is not what the broker's page shows. Compare the letters and digits, and type them again.",
        )
    }

    /// The answer belongs to no sign-in of this browser.
    #[must_use]
    pub const fn state_mismatch() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "state_mismatch",
            "sign_in",
            "This answer belongs to no sign-in that this browser waits for. Sign in again from where you began.",
        )
    }
}
