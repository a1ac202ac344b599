//! A message's headers as they are on the wire.

use rdkafka::message::{BorrowedHeaders, Headers as _};

use super::native;

/// One header of a message. Names are UTF-8 by Kafka's protocol, but nobody checks, so here they are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderRef<'m> {
    /// The header's name.
    pub name: &'m [u8],
    /// The header's value; `None` is Kafka's null.
    pub value: Option<&'m [u8]>,
}

/// All headers of a message, in order.
pub(crate) fn headers(headers: Option<&BorrowedHeaders>) -> impl Iterator<Item = HeaderRef<'_>> {
    headers.into_iter().flat_map(|list| {
        (0..list.count()).filter_map(|index| native::header(list, index)).map(|(name, value)| HeaderRef { name, value })
    })
}
