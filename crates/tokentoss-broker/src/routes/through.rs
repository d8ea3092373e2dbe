//! `ANY /v1/through/{provider}/{host}/{path…}`: a call that the broker makes with the user's token.

use axum::extract::{Request, State};
use axum::response::Response;

use super::App;
use crate::callers::Caller;
use crate::problem::Problem;

pub(super) async fn through(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    app.through.call(&app.custodian, caller, request).await
}
