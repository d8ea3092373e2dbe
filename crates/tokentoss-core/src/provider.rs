//! What a sign-in knows of its provider.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::endpoint::EndpointUrl;
use crate::error::{Error, ErrorCode};
use crate::text::Text;

/// Parameters of the authorization request that only the flow itself may set.
const PROTECTED: [&str; 12] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// The signing algorithms that are never accepted, whatever the configuration says.
const REFUSED_ALGORITHMS: [&str; 4] = ["none", "HS256", "HS384", "HS512"];

/// How a provider wants a client to authenticate (`token_endpoint_auth_method`, RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// By its identifier alone, although it may have a secret.
    None,
    /// By the secret in the form, which stays a simple request for a browser.
    ClientSecretPost,
    /// By HTTP Basic authentication, for which a browser asks first (a CORS preflight).
    ClientSecretBasic,
}

impl AuthMethod {
    /// The method of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "client_secret_post" => Some(Self::ClientSecretPost),
            "client_secret_basic" => Some(Self::ClientSecretBasic),
            _ => None,
        }
    }
}

/// One provider's issuer, endpoints and habits.
#[derive(Clone, Debug)]
pub struct Provider {
    issuer: String,
    authorization_endpoint: EndpointUrl,
    token_endpoint: EndpointUrl,
    device_authorization_endpoint: Option<EndpointUrl>,
    token_endpoint_auth_method: AuthMethod,
    iss_parameter_supported: bool,
    authorization_parameters: Vec<(String, String)>,
    id_token_signing_algorithms: Vec<String>,
    openid_connect: bool,
    token_endpoint_cors: Option<bool>,
}

/// A provider's data before it is checked.
#[derive(Deserialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct ProviderData {
    /// The issuer identifier, compared as the exact string (OpenID Connect Core 3.1.3.7).
    issuer: Text,
    /// Where the popup goes.
    authorization_endpoint: Text,
    /// Where the authorization code is exchanged.
    token_endpoint: Text,
    /// Where the page may ask for a user code to be entered on another device.
    #[serde(default)]
    device_authorization_endpoint: Option<Text>,
    /// How a client with a secret shows it there; `client_secret_post` unless it says otherwise.
    #[serde(default)]
    token_endpoint_auth_method: Option<Text>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207 section 3).
    #[serde(default)]
    iss_parameter_supported: bool,
    /// Extra parameters of the authorization request, such as `access_type`.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", tsify(type = "Record<string, string>"))]
    authorization_params: Parameters,
    /// Algorithms accepted for the ID token.
    #[serde(default)]
    id_token_signing_algs: Vec<Text>,
    /// Whether there are ID tokens at all; there are where this is missing.
    #[serde(default)]
    openid_connect: Option<bool>,
    /// Whether a page may read the token endpoint's answers, when that is known.
    #[serde(default)]
    token_endpoint_cors: Option<bool>,
}

/// The members of an object, in their order; a map would be a second data structure for three parameters.
#[derive(Default)]
struct Parameters(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParametersReader)
    }
}

struct ParametersReader;

impl<'de> Visitor<'de> for ParametersReader {
    type Value = Parameters;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Parameters, A::Error> {
        let mut parameters = Vec::new();
        while let Some((name, value)) = members.next_entry::<Text, Text>()? {
            parameters.push((name.into(), value.into()));
        }
        Ok(Parameters(parameters))
    }
}

impl Provider {
    /// Checks the data.
    ///
    /// # Errors
    /// `endpoint_insecure` for an endpoint that is neither https nor loopback, or loopback for an issuer that is not,
    /// `parameter_protected` for an extra parameter that belongs to the flow, `ticket_invalid`
    /// for a missing issuer, an algorithm that is never accepted, or an unknown way to authenticate.
    pub fn check(data: ProviderData) -> Result<Self, Error> {
        let issuer = EndpointUrl::parse(&data.issuer)?;
        let openid_connect = data.openid_connect.unwrap_or(true);
        let endpoint = |text: &str| {
            let url = EndpointUrl::parse(text)?;
            // Nobody but a provider of this machine has its endpoints here. One without metadata was described by hand.
            let misplaced = openid_connect && url.is_loopback() && !issuer.is_loopback();
            if misplaced { Err(Error::about(ErrorCode::EndpointInsecure, text)) } else { Ok(url) }
        };
        let authorization_endpoint = endpoint(&data.authorization_endpoint)?;
        let in_query =
            form_urlencoded::parse(authorization_endpoint.query().as_bytes()).map(|(name, _)| name);
        let extra = data.authorization_params.0.iter().map(|(name, _)| Cow::from(name.as_str()));
        if let Some(name) = in_query.chain(extra).find(|name| PROTECTED.contains(&name.as_ref())) {
            return Err(Error::about(ErrorCode::ParameterProtected, &name));
        }
        let algorithms = data.id_token_signing_algs;
        let lacking = openid_connect && algorithms.is_empty();
        if lacking || algorithms.iter().any(|name| REFUSED_ALGORITHMS.contains(&&**name)) {
            return Err(Error::about(ErrorCode::TicketInvalid, "the signing algorithms"));
        }
        let auth_method = data.token_endpoint_auth_method.as_deref().unwrap_or("client_secret_post");
        let Some(token_endpoint_auth_method) = AuthMethod::from_name(auth_method) else {
            return Err(Error::about(ErrorCode::TicketInvalid, "the token endpoint's authentication"));
        };
        Ok(Self {
            authorization_endpoint,
            token_endpoint: endpoint(&data.token_endpoint)?,
            device_authorization_endpoint: data
                .device_authorization_endpoint
                .as_deref()
                .map(endpoint)
                .transpose()?,
            token_endpoint_auth_method,
            issuer: data.issuer.into(),
            iss_parameter_supported: data.iss_parameter_supported,
            authorization_parameters: data.authorization_params.0,
            id_token_signing_algorithms: algorithms.into_iter().map(String::from).collect(),
            openid_connect,
            token_endpoint_cors: data.token_endpoint_cors,
        })
    }

    /// The issuer identifier.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where the popup goes.
    #[must_use]
    pub fn authorization_endpoint(&self) -> &EndpointUrl {
        &self.authorization_endpoint
    }

    /// Where the authorization code is exchanged.
    #[must_use]
    pub fn token_endpoint(&self) -> &EndpointUrl {
        &self.token_endpoint
    }

    /// Where the page may ask for a user code to be entered on another device (RFC 8628), if it may.
    #[must_use]
    pub fn device_authorization_endpoint(&self) -> Option<&EndpointUrl> {
        self.device_authorization_endpoint.as_ref()
    }

    /// How a client with a secret shows it at the token endpoint.
    #[must_use]
    pub fn token_endpoint_auth_method(&self) -> AuthMethod {
        self.token_endpoint_auth_method
    }

    /// Whether every authorization response must name its issuer (RFC 9207 section 2.4).
    #[must_use]
    pub fn iss_parameter_supported(&self) -> bool {
        self.iss_parameter_supported
    }

    /// Whether it issues ID tokens; without them only the kernel can find out who signed in.
    #[must_use]
    pub fn openid_connect(&self) -> bool {
        self.openid_connect
    }

    /// Whether a page may read the token endpoint's answers, when that is known.
    #[must_use]
    pub fn token_endpoint_cors(&self) -> Option<bool> {
        self.token_endpoint_cors
    }

    /// Extra parameters of the authorization request; never a protected one.
    #[must_use]
    pub fn authorization_parameters(&self) -> &[(String, String)] {
        &self.authorization_parameters
    }

    /// Whether an ID token signed with `algorithm` is accepted.
    #[must_use]
    pub fn accepts_algorithm(&self, algorithm: &str) -> bool {
        self.id_token_signing_algorithms.iter().any(|accepted| accepted == algorithm)
    }
}
