//! `openapi`: the document of the HTTP interface.

use crate::routes::OPENAPI;

pub(super) fn run() {
    print!("{OPENAPI}");
}
