//! How the provider's answer comes back to the page.

use alloc::string::String;

use crate::endpoint::EndpointUrl;
use crate::sealing::PublicKey;
use crate::ticket::Ticket;

/// The ways, from the best to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Through the kernel's listener on loopback, whose start page introduces the two to each other.
    Loopback,
    /// Through a static page that is registered for the client.
    CallbackPage,
    /// By hand: the user copies the address of a page that cannot load, because the listener is out of reach.
    Paste,
}

impl Way {
    /// The best way that a ticket offers.
    pub(super) fn first(ticket: &Ticket) -> Self {
        if ticket.start_page_of_use() { Self::Loopback } else { Self::beside_loopback(ticket) }
    }

    /// The best way for a browser that cannot reach the listener.
    pub(super) fn beside_loopback(ticket: &Ticket) -> Self {
        if ticket.callback_page().is_some() { Self::CallbackPage } else { Self::Paste }
    }

    /// Where the provider sends the answer; `None` only for a ticket that does not offer this way.
    pub(super) fn redirect_uri(self, ticket: &Ticket) -> Option<&EndpointUrl> {
        match self {
            Self::Loopback | Self::Paste => ticket.redirect_uri(),
            Self::CallbackPage => ticket.callback_page().map(|page| &page.url),
        }
    }

    /// The origin of that address, which alone may send messages and get any.
    pub(super) fn origin(self, ticket: &Ticket) -> &str {
        self.redirect_uri(ticket).map_or("", EndpointUrl::origin)
    }

    /// The listener's start page, where that is the way. The fragment, which no server gets to see, names the attempt of the
    /// page with this key, so that a start page without an opener can ask its listener where to go on.
    pub(super) fn start_url(self, ticket: &Ticket, page_key: &PublicKey) -> Option<String> {
        let listener = ticket.redirect_uri().filter(|_| self == Self::Loopback)?;
        let start = listener.sibling("/tokentoss/start");
        Some(String::from_iter([&start, "#", ticket.id(), ".", &page_key.to_base64url()]))
    }

    /// Whether the answer may also come by broadcast.
    pub(super) fn broadcasts(self, ticket: &Ticket) -> bool {
        self == Self::CallbackPage && ticket.callback_page().is_some_and(|page| page.same_origin)
    }

    /// The name used in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::CallbackPage => "callback_page",
            Self::Paste => "paste",
        }
    }
}
