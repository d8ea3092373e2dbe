//! The one name in a route's path.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::App;
use crate::problem::Problem;

/// An identifier or a provider's name from the path; invalid UTF-8 is refused as an invalid request.
pub(super) struct Name(pub(super) String);

impl FromRequestParts<App> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let name = Path::<String>::from_request_parts(parts, app).await;
        name.map(|Path(name)| Self(name)).map_err(|_| Problem::invalid_request())
    }
}
