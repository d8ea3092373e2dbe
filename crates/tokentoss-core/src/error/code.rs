//! The codes a sign-in in the browser can end with, and the sentence for each.

/// Whose doing an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Culprit {
    /// Something in the set-up: a file, an address, a scope.
    Configuration,
    /// The browser, the network, the clock, the kernel.
    Environment,
    /// The provider broke the protocol; its answer was not used.
    ProviderMisbehaved,
    /// The provider said no.
    ProviderRefused,
    /// Somebody who is not part of this sign-in; dropped, never ends it.
    Stranger,
    /// The person in front of the screen.
    User,
}

impl Culprit {
    /// The name used in files and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Environment => "environment",
            Self::ProviderMisbehaved => "provider_misbehaved",
            Self::ProviderRefused => "provider_refused",
            Self::Stranger => "stranger",
            Self::User => "user",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $code:literal $culprit:ident $default:literal $message:literal;)*) => {
        /// A stable error code; its text never changes its meaning and is never used again.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(#[doc = $message] $variant,)*
        }

        impl ErrorCode {
            /// Every code, for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as it is written in every language.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Whose doing it is.
            #[must_use]
            pub const fn culprit(self) -> Culprit {
                match self { $(Self::$variant => Culprit::$culprit,)* }
            }

            /// The sentence with the next step; `{subject}` stands for what it is about.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// What `{subject}` reads as when the error names nothing.
            #[must_use]
            pub const fn subject_default(self) -> &'static str {
                match self { $(Self::$variant => $default,)* }
            }
        }
    };
}

codes! {
    // The provider said no (RFC 6749 sections 4.1.2.1 and 5.2, OpenID Connect Core 3.1.2.6).
    AccessDenied "access_denied" ProviderRefused "" "Access was not granted. Sign in again and accept, or choose another account.";
    AccountSelectionRequired "account_selection_required" ProviderRefused "" "The provider needs you to choose an account. Sign in again and choose one.";
    ConsentRequired "consent_required" ProviderRefused "" "The provider needs your consent. Sign in again and accept.";
    ExpiredToken "expired_token" ProviderRefused "" "The code was not entered in time. Ask for a new one.";
    InteractionRequired "interaction_required" ProviderRefused "" "The provider needs something from you. Sign in again and follow its pages.";
    InvalidClient "invalid_client" ProviderRefused "the token endpoint" "{subject} does not accept this client. Check the client ID and the client secret, then sign in again.";
    InvalidGrant "invalid_grant" ProviderRefused "the token endpoint" "{subject} no longer accepts this sign-in. Sign in again.";
    InvalidRequest "invalid_request" ProviderRefused "the provider" "{subject} says the request is not valid. Check the client's type, its secret and its registered redirect address.";
    InvalidScope "invalid_scope" ProviderRefused "the provider" "{subject} does not know one of the scopes. Check the scopes, then sign in again.";
    LoginRequired "login_required" ProviderRefused "" "The provider needs you to log in. Sign in again.";
    ProviderError "provider_error" ProviderRefused "without a reason" "The provider refused the sign-in: {subject}. Sign in again; if it stays, ask its administrator.";
    ServerError "server_error" ProviderRefused "the provider" "{subject} had an internal error. Try again in a moment.";
    TemporarilyUnavailable "temporarily_unavailable" ProviderRefused "the provider" "{subject} is overloaded or under maintenance. Try again in a moment.";
    UnauthorizedClient "unauthorized_client" ProviderRefused "the provider" "{subject} does not let this client sign in this way. Check the client's type in the provider's console.";
    UnsupportedGrantType "unsupported_grant_type" ProviderRefused "the token endpoint" "{subject} does not exchange authorization codes. Check the token endpoint's address.";
    UnsupportedResponseType "unsupported_response_type" ProviderRefused "the provider" "{subject} does not offer the authorization code flow to this client. Check the client's type.";

    // The provider broke the protocol.
    CallbackInvalid "callback_invalid" ProviderMisbehaved "" "The provider's answer holds neither a code nor an error. Sign in again.";
    DeviceResponseInvalid "device_response_invalid" ProviderMisbehaved "a required member" "The provider's answer is not usable for a sign-in by code: {subject} is missing or malformed. Sign in with the button.";
    IdTokenAccessTokenHashMismatch "id_token_access_token_hash_mismatch" ProviderMisbehaved "" "The ID token belongs to another access token, so nothing was kept. Sign in again.";
    IdTokenAlgorithmRefused "id_token_algorithm_refused" ProviderMisbehaved "an unknown algorithm" "The ID token is signed with {subject}, which is not accepted here. Check the provider's settings.";
    IdTokenAudienceMismatch "id_token_audience_mismatch" ProviderMisbehaved "" "The ID token was made for another application, so nothing was kept. Check the client ID.";
    IdTokenAuthorizedPartyMismatch "id_token_authorized_party_mismatch" ProviderMisbehaved "" "The ID token was issued to another application, so nothing was kept. Check the client ID.";
    IdTokenExpired "id_token_expired" ProviderMisbehaved "" "The provider sent an ID token that has expired. Sign in again.";
    IdTokenIssuedAtInvalid "id_token_issued_at_invalid" ProviderMisbehaved "" "The ID token does not say when it was issued, so nothing was kept. Report this to the provider.";
    IdTokenIssuerMismatch "id_token_issuer_mismatch" ProviderMisbehaved "somebody else" "The ID token was issued by {subject}, not by the expected provider, so nothing was kept. Check the issuer.";
    IdTokenMalformed "id_token_malformed" ProviderMisbehaved "" "The provider sent an ID token that cannot be read. Sign in again.";
    IdTokenMissing "id_token_missing" ProviderMisbehaved "" "The provider sent no ID token. Check that the scope openid is allowed for this client.";
    IdTokenNonceMismatch "id_token_nonce_mismatch" ProviderMisbehaved "" "The ID token answers another sign-in, so nothing was kept. Sign in again.";
    IdTokenSubjectMissing "id_token_subject_missing" ProviderMisbehaved "" "The ID token does not say who signed in, so nothing was kept. Report this to the provider.";
    IssuerMismatch "issuer_mismatch" ProviderMisbehaved "another issuer" "The answer came from {subject} instead of the provider you chose, so it was not used. Sign in again.";
    IssuerMissing "issuer_missing" ProviderMisbehaved "" "The answer does not say which provider sent it, so it was not used. Sign in again.";
    ParameterDuplicated "parameter_duplicated" ProviderMisbehaved "a parameter" "The provider's answer holds {subject} twice, so it was not used. Sign in again.";
    TokenEndpointFailed "token_endpoint_failed" ProviderMisbehaved "The token endpoint" "{subject} failed to answer properly. Try again in a moment.";
    TokenResponseInvalid "token_response_invalid" ProviderMisbehaved "a required member" "The token endpoint's answer is not usable: {subject} is missing or malformed. Sign in again.";
    TokenResponseNotJson "token_response_not_json" ProviderMisbehaved "The token endpoint" "{subject} answered with something that is not JSON. Check its address, then sign in again.";
    TokenResponseTooLarge "token_response_too_large" ProviderMisbehaved "The token endpoint" "{subject} answered with more than 64 KiB, which was not read. Check its address.";
    TokenTypeUnsupported "token_type_unsupported" ProviderMisbehaved "an unknown type" "The provider sent {subject} instead of a bearer token. Check the client's settings.";

    // The person in front of the screen.
    HostedDomainMismatch "hosted_domain_mismatch" User "the required organisation" "This account does not belong to {subject}. Sign in with an account that does.";
    PasteCodeOnly "paste_code_only" User "" "This is only the code, and without the rest of the address nobody can tell which sign-in it belongs to. Paste the whole address.";
    PasteNotAnAddress "paste_not_an_address" User "" "This is not a whole address. Copy everything in the address bar of the page that you were sent to, and paste it.";
    PasteOtherAddress "paste_other_address" User "the redirect address" "This is another page's address. Finish the sign-in there, then paste the address that begins with {subject}.";
    PopupClosed "popup_closed" User "" "The sign-in window looks closed. If you closed it, sign in again; if it is still open, just finish there.";
    SignInTimedOut "sign_in_timed_out" User "" "The sign-in was not finished in time. Sign in again.";

    // Strangers: dropped without ending the sign-in.
    MessageMalformed "message_malformed" Stranger "" "A message that is none of ours was dropped.";
    OriginMismatch "origin_mismatch" Stranger "an unknown page" "A message from {subject} was dropped.";
    SourceMismatch "source_mismatch" Stranger "" "A message from a window that is not part of this sign-in was dropped.";
    StateMismatch "state_mismatch" Stranger "" "This answer does not belong to the sign-in that is going on. Sign in again from this notebook.";

    // The browser, the network, the clock, the kernel.
    ClockSkew "clock_skew" Environment "some time" "This computer's clock and the provider's differ by {subject}. Set the clock, then sign in again.";
    EntropyUnavailable "entropy_unavailable" Environment "" "The browser gives no random numbers, so a sign-in would not be safe. Try another browser.";
    HandOverTimedOut "hand_over_timed_out" Environment "" "Python did not take the tokens in time. Interrupt the kernel or wait until it is free, then sign in again.";
    KernelBusy "kernel_busy" Environment "" "The kernel is busy and did not ask for a code. Interrupt the cell that runs, or wait until it is done, then ask again.";
    KernelGone "kernel_gone" Environment "" "The kernel restarted. Run the cell again.";
    PageOriginOpaque "page_origin_opaque" Environment "" "This notebook page is shown in a frame without an address of its own. Open the notebook in its own tab, then sign in.";
    PopupBlocked "popup_blocked" Environment "" "The browser blocked the sign-in window. Follow the link to open it by hand, or allow pop-ups for this page.";
    RegistrationRefused "registration_refused" Environment "" "The kernel did not accept this sign-in. Run the cell again.";
    SealingFailed "sealing_failed" Environment "" "The tokens could not be sealed for the kernel. Run the cell again.";
    TokenEndpointUnreachable "token_endpoint_unreachable" Environment "The token endpoint" "{subject} cannot be reached: the network is down, or the provider does not answer this page. Try again when it is reachable.";

    // The set-up.
    EndpointInsecure "endpoint_insecure" Configuration "An endpoint" "{subject} is not an https address. Correct the provider's endpoints.";
    ParameterProtected "parameter_protected" Configuration "A parameter" "{subject} cannot be set as an extra authorization parameter. Remove it.";
    ScopeOpenidMissing "scope_openid_missing" Configuration "" "The scopes lack openid, so there would be no ID token. Add openid to the scopes.";
    TicketInvalid "ticket_invalid" Configuration "the ticket" "The widget's state is not usable: {subject}. Run the cell again with matching versions of the page and the kernel.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use alloc::string::ToString;

    #[test]
    fn codes_are_snake_case_and_messages_are_sentences() {
        for code in ErrorCode::ALL {
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert_eq!(code.message().contains("{subject}"), !code.subject_default().is_empty(), "{code:?}");
            let sentence = Error::from(*code).to_string();
            assert!(sentence.ends_with('.') && !sentence.contains('{'), "{sentence}");
        }
    }
}
