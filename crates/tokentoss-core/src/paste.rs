//! The address that a user copies from a page that could not send the answer itself.
//!
//! It must be the whole address: its state is what ties the code to this sign-in (RFC 6749 section 10.12), and its beginning
//! shows that the provider sent the browser where this sign-in asked it to.

use crate::endpoint::EndpointUrl;
use crate::error::{Error, ErrorCode};

/// The longest text that is looked at, in bytes.
const LENGTH_LIMIT: usize = 32 * 1024;

/// The query of a pasted address, not yet checked.
///
/// # Errors
/// `paste_not_an_address`, `paste_code_only`, or `paste_other_address` for another address than `redirect_uri`.
pub fn query_of<'a>(text: &'a str, redirect_uri: &EndpointUrl) -> Result<&'a str, Error> {
    let text = text.trim();
    let is_address = text.starts_with("https://") || text.starts_with("http://");
    if text.len() > LENGTH_LIMIT || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(ErrorCode::PasteNotAnAddress.into());
    }
    if !is_address {
        let is_code = !text.is_empty() && !text.contains([':', '?', '&', '=']);
        return Err(if is_code { ErrorCode::PasteCodeOnly } else { ErrorCode::PasteNotAnAddress }.into());
    }
    let address = text.split_once('#').map_or(text, |(address, _)| address);
    let (page, query) = address.split_once('?').unwrap_or((address, ""));
    if page == redirect_uri.as_str() || page == redirect_uri.as_browsers_show() {
        Ok(query)
    } else {
        Err(Error::about(ErrorCode::PasteOtherAddress, redirect_uri.as_str()))
    }
}
