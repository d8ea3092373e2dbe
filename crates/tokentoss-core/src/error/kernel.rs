//! Codes that are given outside the flow, by the kernel or before the WebAssembly runs; kept beside
//! the others so that none is used twice.
//!
//! The flow never refers to them, so they take no room in its WebAssembly.

use super::Culprit;

/// A code of the kernel side with its sentence.
#[derive(Clone, Copy, Debug)]
pub struct KernelCode {
    /// The stable code.
    pub code: &'static str,
    /// Whose doing it is.
    pub culprit: Culprit,
    /// What `{subject}` reads as when the error names nothing.
    pub subject_default: &'static str,
    /// The sentence with the next step; `{subject}` stands for what it is about.
    pub message: &'static str,
}

const fn code(
    code: &'static str,
    culprit: Culprit,
    subject_default: &'static str,
    message: &'static str,
) -> KernelCode {
    KernelCode { code, culprit, subject_default, message }
}

use Culprit::{Configuration, Environment, ProviderMisbehaved, ProviderRefused, Stranger, User};

/// Every code of the kernel side.
pub const KERNEL_CODES: &[KernelCode] = &[
    code(
        "discovery_invalid",
        ProviderMisbehaved,
        "The provider",
        "{subject} does not publish a usable OpenID configuration. Check the issuer.",
    ),
    code(
        "discovery_issuer_mismatch",
        ProviderMisbehaved,
        "another issuer",
        "The OpenID configuration belongs to {subject}, not to the issuer that was asked. Give the issuer exactly as the provider writes it.",
    ),
    code(
        "id_token_key_unknown",
        ProviderMisbehaved,
        "",
        "The ID token is signed with a key that the provider does not publish, so nothing was kept. Sign in again.",
    ),
    code(
        "id_token_signature_invalid",
        ProviderMisbehaved,
        "",
        "The ID token's signature is wrong, so nothing was kept. Sign in again; if it stays, report it to the provider.",
    ),
    code(
        "token_endpoint_redirected",
        ProviderMisbehaved,
        "The token endpoint",
        "{subject} redirects, which a token endpoint must not do. Correct its address.",
    ),
    code("proof_mismatch", Stranger, "", "A registration without the right proof was refused."),
    code(
        "configuration_unsealed",
        Environment,
        "",
        "The client could not be sealed for the kernel, so nothing was sent. Run the cell again.",
    ),
    code(
        "discovery_unreachable",
        Environment,
        "The provider",
        "{subject} cannot be reached for its OpenID configuration. Check the address and the network, then try again.",
    ),
    code(
        "envelope_unreadable",
        Environment,
        "",
        "Something that is not a sealed answer to this sign-in was dropped.",
    ),
    code(
        "jwks_unreachable",
        Environment,
        "The provider's keys",
        "{subject} cannot be reached, so the ID token's signature is checked later.",
    ),
    code(
        "loopback_unavailable",
        Environment,
        "a local port",
        "The kernel cannot listen on {subject}. Close the program that uses it, or register a Desktop client, which needs no fixed port.",
    ),
    code(
        "loopback_ports_taken",
        Environment,
        "given",
        "None of the ports {subject} is free on the kernel's machine. Close a program that uses one of them, or give other redirect_ports.",
    ),
    code(
        "redirect_uri_invalid",
        Configuration,
        "The callback address",
        "{subject} cannot be a callback page: give its https address as it is registered, without a query or a fragment.",
    ),
    code(
        "wait_impossible",
        Environment,
        "",
        "A sign-in cannot reach this kernel while a cell runs, so waiting would never end. Leave wait() out, sign in, then go on in the next cell.",
    ),
    code(
        "wait_timed_out",
        User,
        "the given time",
        "Nobody signed in within {subject}. Sign in with the widget's button, then run the cell again.",
    ),
    code("widget_closed", User, "", "The widget was closed before anybody signed in. Show it again."),
    code(
        "loopback_unreachable",
        Environment,
        "the kernel's address",
        "This browser cannot reach {subject}. If the kernel runs on another machine, forward that port; if a proxy or firewall is in between, allow it. Then sign in again.",
    ),
    code(
        "storage_corrupt",
        Environment,
        "The token file",
        "{subject} is not a token file that can be read. Move it away or delete it, then sign in again.",
    ),
    code(
        "storage_unreadable",
        Environment,
        "the token file",
        "Reading {subject} failed. Check that the file belongs to you and is readable.",
    ),
    code(
        "storage_unwritable",
        Environment,
        "the token file",
        "Writing {subject} failed. Check the folder's permissions and the free space.",
    ),
    code(
        "ticket_unknown",
        Environment,
        "",
        "This sign-in is no longer awaited by the kernel. Sign in again from the notebook.",
    ),
    code(
        "client_id_invalid",
        Configuration,
        "it is empty",
        "The client ID cannot be used: {subject}. Copy it from the provider's console.",
    ),
    code(
        "client_secret_invalid",
        Configuration,
        "it is empty",
        "The client secret cannot be used: {subject}. Copy it from the provider's console.",
    ),
    code(
        "client_secrets_invalid",
        Configuration,
        "The client secrets file",
        "{subject} is not a client secrets file. Download it again from the provider's console.",
    ),
    code(
        "client_secrets_missing",
        Configuration,
        "A client secrets file",
        "{subject} was not found. Give its path, or install it with tokentoss.configure().",
    ),
    code(
        "client_secrets_redirect_missing",
        Configuration,
        "The client secrets file",
        "{subject} is for a web client without a loopback redirect address. Create a client of type Desktop app and download its file.",
    ),
    code(
        "client_secrets_service_account",
        Configuration,
        "The client secrets file",
        "{subject} is a service account key, which cannot sign a person in. Create an OAuth client of type Desktop app and download its file.",
    ),
    code(
        "client_secrets_unreadable",
        Configuration,
        "the client secrets file",
        "Reading {subject} failed. Check that it is a file and readable.",
    ),
    code(
        "no_credentials",
        Configuration,
        "nowhere",
        "No credentials were found; looked at: {subject}. Show a GoogleAuthWidget and sign in first.",
    ),
    code(
        "origin_not_allowed",
        Configuration,
        "that address",
        "The token is not sent to {subject}. Create a client whose base_url is on that origin, over https.",
    ),
    code(
        "refresh_token_missing",
        Configuration,
        "",
        "The provider gave no refresh token. Sign in again when the session ends.",
    ),
    code(
        "service_audience_mismatch",
        Configuration,
        "The service",
        "{subject} expects a token for another client. Ask its administrator to allow this client ID for programmatic access.",
    ),
    code(
        "service_forbidden",
        Configuration,
        "The service",
        "{subject} knows you but does not let you in (403). Ask its administrator for access.",
    ),
    code(
        "service_sign_in_redirect",
        Configuration,
        "The service",
        "{subject} sent the call to a sign-in page: this client is not on its list for programmatic access. Ask its administrator to add the client ID.",
    ),
    code(
        "service_unauthenticated",
        Configuration,
        "The service",
        "{subject} does not accept the token (401). Sign in again; if it stays, check the service's list of client IDs.",
    ),
    code(
        "authorization_pending",
        ProviderRefused,
        "",
        "The provider is still waiting for the code to be entered. Enter it on the page that was named.",
    ),
    code(
        "device_authorization_unsupported",
        Configuration,
        "The provider",
        "{subject} offers no sign-in by code. Sign in with the button.",
    ),
    code(
        "slow_down",
        ProviderRefused,
        "",
        "The provider was asked too often and wants a longer pause. Wait a moment, then try again.",
    ),
    code("session_expired", Configuration, "", "Session expired \u{2014} sign in again."),
    code(
        "admin_policy_enforced",
        ProviderRefused,
        "",
        "Your organisation does not allow this application for your account. Ask its administrator to trust the client ID, then sign in again.",
    ),
    code(
        "grant_expired",
        ProviderRefused,
        "",
        "The refresh token has expired at the provider. Sign in again.",
    ),
    code(
        "grant_expired_testing",
        ProviderRefused,
        "",
        "The refresh token ended after seven days, as it does while a Google project is in testing. Sign in again; publishing the project's consent screen ends this.",
    ),
    code("grant_revoked", ProviderRefused, "", "The permission was revoked at the provider. Sign in again."),
    code(
        "invalid_rapt",
        ProviderRefused,
        "",
        "Your organisation asks for a fresh sign-in from time to time (invalid_rapt). Sign in again; its administrator sets how often.",
    ),
    code(
        "id_token_subject_mismatch",
        ProviderMisbehaved,
        "",
        "The renewed ID token belongs to another user, so it was not kept. Sign in again.",
    ),
    code(
        "revocation_failed",
        ProviderMisbehaved,
        "The provider",
        "{subject} did not revoke the tokens. They are removed here; end the rest on the provider's account page.",
    ),
    code(
        "revocation_unsupported",
        Configuration,
        "The provider",
        "{subject} offers no way to revoke tokens. They are removed here; end the rest on the provider's account page.",
    ),
    code(
        "refresh_busy",
        Environment,
        "",
        "Another process has been renewing this sign-in for too long. Try again; if it stays, end that process.",
    ),
    code(
        "revocation_unreachable",
        Environment,
        "The provider",
        "{subject} cannot be reached, so the tokens are removed here but not revoked. End the rest on the provider's account page.",
    ),
    code(
        "storage_insecure",
        Environment,
        "the token file",
        "Others may access {subject}, so it is not used. Run chmod 600 on it, or delete it and sign in again.",
    ),
    code(
        "signed_out_elsewhere",
        User,
        "",
        "This account was signed out in another program, or its stored tokens were removed. Sign in again.",
    ),
    code(
        "userinfo_failed",
        ProviderMisbehaved,
        "The userinfo endpoint",
        "{subject} failed to answer properly. Try again in a moment.",
    ),
    code(
        "userinfo_invalid",
        ProviderMisbehaved,
        "The userinfo endpoint",
        "{subject} answered with something other than a JSON object of claims, which was not used. Check the provider's settings.",
    ),
    code(
        "userinfo_refused",
        ProviderRefused,
        "The userinfo endpoint",
        "{subject} does not accept the access token. Sign in again, and check that the scope openid is granted.",
    ),
    code(
        "userinfo_subject_mismatch",
        ProviderMisbehaved,
        "",
        "The userinfo answer is about another user than the ID token, so it was not used. Report this to the provider.",
    ),
    code(
        "userinfo_unreachable",
        Environment,
        "The userinfo endpoint",
        "{subject} cannot be reached. Try again when it is reachable.",
    ),
    code(
        "userinfo_unsupported",
        Configuration,
        "This provider",
        "{subject} has no userinfo endpoint. Read the claims of the ID token instead.",
    ),
    code(
        "account_ambiguous",
        Configuration,
        "The name",
        "{subject} stands for more than one stored account. Choose one by its key; AuthManager.accounts() lists them.",
    ),
    code(
        "account_unknown",
        Configuration,
        "that name",
        "No stored account goes by {subject}. Sign in with it, or choose one that AuthManager.accounts() lists.",
    ),
    code(
        "webassembly_failed",
        Environment,
        "",
        "This widget could not start in this browser. Reload the page; if that does not help, update the browser.",
    ),
    code(
        "webassembly_unavailable",
        Environment,
        "",
        "This page's security policy forbids WebAssembly, which this widget needs. Ask the administrator to add 'wasm-unsafe-eval' to the script-src policy.",
    ),
    code(
        "provider_value_invalid",
        Configuration,
        "a value",
        "The provider cannot be used: {subject} is not valid. Correct its data.",
    ),
    code(
        "provider_unknown",
        Configuration,
        "that name",
        "No provider that comes with the package is called {subject}. Use Provider.discover() with its issuer instead.",
    ),
    code(
        "provider_parameter_invalid",
        Configuration,
        "a parameter is missing",
        "The provider's addresses cannot be made: {subject}. Give it to Provider.named().",
    ),
    code(
        "provider_identity_missing",
        Configuration,
        "The provider",
        "{subject} gives no ID tokens and names no identity endpoint, so nobody could tell who signed in. Give it an identity_endpoint.",
    ),
    code(
        "provider_without_id_tokens",
        Configuration,
        "The provider",
        "{subject} gives no ID tokens. Use APIClient, which sends the access token.",
    ),
    code(
        "identity_invalid",
        ProviderMisbehaved,
        "The provider",
        "{subject} does not say who signed in, so nothing was kept. Sign in again; if it stays, check the provider's identity endpoint.",
    ),
    code(
        "identity_unreachable",
        Environment,
        "The provider",
        "{subject} cannot be reached to ask who signed in, so nothing was kept. Sign in again.",
    ),
    code(
        "service_scope_missing",
        Configuration,
        "The service",
        "{subject} needs a permission that was not granted (403, insufficient_scope). Ask for its scope, then sign in again.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn no_code_is_used_twice() {
        let all: alloc::vec::Vec<&str> =
            ErrorCode::ALL.iter().map(|c| c.as_str()).chain(KERNEL_CODES.iter().map(|c| c.code)).collect();
        let distinct: alloc::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len());
    }

    #[test]
    fn messages_are_sentences() {
        for entry in KERNEL_CODES {
            assert_eq!(
                entry.message.contains("{subject}"),
                !entry.subject_default.is_empty(),
                "{}",
                entry.code
            );
            assert!(entry.message.ends_with('.'), "{}", entry.code);
        }
    }
}
