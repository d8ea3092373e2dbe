//! Why no answer came of another server: certificate, name, network and proxy are told apart, each with what to do.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::iter;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::CertificateError;

/// Why no whole answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportFailure {
    /// Nobody vouches for the server's certificate.
    CertificateUntrusted,
    /// The server's certificate is another server's.
    CertificateName,
    /// The server's certificate has ended, or is damaged.
    CertificateInvalid,
    /// The two have no version or cipher of TLS in common, or what answers speaks no TLS.
    Tls,
    /// The server's name has no address.
    NameUnresolved,
    /// The proxy is not reached, or does not let the connection through.
    Proxy,
    /// Nobody listens at the address.
    Refused,
    /// No way leads to the address.
    Unreachable,
    /// Nothing came in time.
    Timeout,
    /// The connection ended early.
    Closed,
    /// Anything else.
    Unknown,
}

impl TransportFailure {
    /// What a request ended by.
    #[must_use]
    pub fn of(error: &reqwest::Error) -> Self {
        let mut found = Self::Unknown;
        for cause in causes(error) {
            // The library does not show the type of these.
            if cause.to_string().starts_with("tunnel error") {
                return Self::Proxy;
            }
            let known = if cause.is::<Unresolved>() {
                Self::NameUnresolved
            } else if let Some(error) = cause.downcast_ref::<rustls::Error>() {
                Self::of_tls(error)
            } else if let Some(error) = cause.downcast_ref::<io::Error>() {
                Self::of_io(error.kind())
            } else if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message) {
                Self::Closed
            } else {
                Self::Unknown
            };
            // The innermost one that says something knows best.
            if known != Self::Unknown {
                found = known;
            }
        }
        if found == Self::Unknown && error.is_timeout() { Self::Timeout } else { found }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => match error {
                CertificateError::UnknownIssuer => Self::CertificateUntrusted,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    Self::CertificateName
                }
                _ => Self::CertificateInvalid,
            },
            _ => Self::Tls,
        }
    }

    const fn of_io(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
                Self::Unreachable
            }
            ErrorKind::TimedOut => Self::Timeout,
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Unknown,
        }
    }

    /// Its name in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CertificateUntrusted => "certificate_untrusted",
            Self::CertificateName => "certificate_name",
            Self::CertificateInvalid => "certificate_invalid",
            Self::Tls => "tls",
            Self::NameUnresolved => "name_unresolved",
            Self::Proxy => "proxy",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
        }
    }

    /// What it means, and what to do.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::CertificateUntrusted => {
                "no authority that is trusted here issued its certificate; add your organisation's CA to the system's, or name a file with all CAs in SSL_CERT_FILE"
            }
            Self::CertificateName => {
                "its certificate is for another name; correct the address, or the certificate"
            }
            Self::CertificateInvalid => {
                "its certificate has ended, is not valid yet or is damaged; renew it, or set this machine's clock"
            }
            Self::Tls => "TLS cannot be agreed on; check the port, and that the server knows TLS 1.2 or 1.3",
            Self::NameUnresolved => {
                "its name has no address; correct it, or this machine's DNS, or set HTTPS_PROXY where only the proxy resolves names"
            }
            Self::Proxy => {
                "the proxy is not reached or refuses; check HTTPS_PROXY, and name what needs no proxy in NO_PROXY"
            }
            Self::Refused => "nobody listens at its address; check host and port, and the firewall",
            Self::Unreachable => {
                "no route leads to its address; check the network, or set HTTPS_PROXY where it needs a proxy"
            }
            Self::Timeout => {
                "nothing answered in time; check the firewall, or set HTTPS_PROXY where the network needs a proxy"
            }
            Self::Closed => "the connection was closed early; check for a firewall that inspects TLS",
            Self::Unknown => "the connection failed; try the address with curl on this machine",
        }
    }
}

impl fmt::Display for TransportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.help())
    }
}

/// An error and what it came of, with those that are packed into errors of input and output.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        // Their own source is that of what is packed, which would be left out.
        let packed = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        packed.map(|error| error as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

/// A name has no address.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address")]
pub(crate) struct Unresolved(#[source] pub(crate) io::Error);

/// Resolves names as the system does, and says when a name is the trouble.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = (name.as_str().to_owned(), 0);
            let found = tokio::net::lookup_host(name).await.map_err(Unresolved)?;
            let addresses: Addrs = Box::new(found.collect::<Vec<_>>().into_iter());
            Ok(addresses)
        })
    }
}
