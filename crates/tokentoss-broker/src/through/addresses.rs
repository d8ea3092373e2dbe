//! The addresses that may be connected to, and the resolver that checks them.
//!
//! The connection uses exactly the checked addresses, which prevents DNS rebinding.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::transport::Unresolved;

type Addresses = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// A function that resolves names.
#[derive(Clone)]
pub struct Lookup(Arc<dyn Fn(String) -> Addresses + Send + Sync>);

impl Lookup {
    /// The resolver of the system.
    #[must_use]
    pub fn of_system() -> Self {
        Self::by(|name| async move {
            Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
        })
    }

    /// A custom function.
    pub fn by<F, R>(function: F) -> Self
    where
        F: Fn(String) -> R + Send + Sync + 'static,
        R: Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        Self(Arc::new(move |name| Box::pin(function(name))))
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

/// A name has an address that may not be connected to.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the name has an address that may not be connected to")]
pub(super) struct AddressRefused;

/// Whether an error came from an address that was refused.
pub(super) fn is_refused(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if error.is::<AddressRefused>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Resolves names, and refuses those with an address that may not be connected to.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    lookup: Lookup,
    allows_private: bool,
}

impl Resolver {
    pub(super) fn new(lookup: Lookup, allows_private: bool) -> Self {
        Self { lookup, allows_private }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { lookup, allows_private } = self.clone();
        Box::pin(async move {
            let found = (lookup.0)(name.as_str().to_owned()).await.map_err(Unresolved)?;
            // One forbidden address among good ones is suspicious, so the name is refused.
            let is_fine = |address: &IpAddr| is_public(*address) || (allows_private && is_private(*address));
            if !found.iter().all(is_fine) {
                return Err(AddressRefused.into());
            }
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// Whether an address belongs to this machine or a private network, and is not a cloud's metadata service.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let is_private = v4.is_loopback() || v4.is_private() || within(v4, [100, 64, 0, 0], 10);
            is_private && !METADATA_V4.contains(&v4)
        }
        // Addresses that embed an IPv4 address count as neither private nor public.
        IpAddr::V6(v6) => {
            let is_private = v6.is_loopback() || (v6.segments()[0] & 0xfe00) == 0xfc00;
            is_private && !METADATA_V6.iter().any(|network| v6.segments().starts_with(network))
        }
    }
}

/// Metadata services at private addresses, which give credentials to any client: Alibaba's, and its DNS
/// servers.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(100, 100, 2, 136), Ipv4Addr::new(100, 100, 2, 138)];

/// Metadata services at unique local addresses, as whole networks: Amazon's (`fd00:ec2::254`, and `::23` for
/// pods), Oracle's (`fd00:c1::a9fe:a9fe`), Scaleway's (`fd00:42::42`) and Google's (`fd20:ce::254`).
const METADATA_V6: [[u16; 3]; 4] =
    [[0xfd00, 0xec2, 0], [0xfd00, 0xc1, 0], [0xfd00, 0x42, 0], [0xfd20, 0xce, 0]];

/// Whether an address is globally reachable (IANA's registries of special-purpose addresses).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    const SPECIAL: [([u8; 4], u32); 17] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 31, 196, 0], 24),
        ([192, 52, 193, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([192, 175, 48, 0], 24),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 3),
    ];
    // 168.63.129.16 is a public address that Azure uses for a service inside its machines.
    !SPECIAL.iter().any(|(network, length)| within(address, *network, *length))
        && address != Ipv4Addr::new(168, 63, 129, 16)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Only 2000::/3 is allocated; IPv4-mapped, NAT64, loopback, link-local, unique local and multicast are
    // outside of it.
    let is_given_out = (first & 0xe000) == 0x2000;
    // Within it: protocol assignments with Teredo and ORCHID, documentation, 6to4, which carries an IPv4
    // address.
    let is_special = (first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        || first == 0x2002
        || (first == 0x3fff && second < 0x1000);
    is_given_out && !is_special
}

fn within(address: Ipv4Addr, network: [u8; 4], length: u32) -> bool {
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or_default();
    (u32::from(address) & mask) == (u32::from(Ipv4Addr::from(network)) & mask)
}
