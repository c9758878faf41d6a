//! What is asked after an answer can be read from the answer itself, before it is taken in: the server works on the next page
//! while this device writes the last one.

use holdfast_core::{
    ids::Seq,
    protocol::{self, RelayList},
    transaction::{LogEntry, Mark},
};
use minicbor::{Decode, Decoder, decode::Error};

use super::{HttpRequest, HttpResponse, RequestKind, pull, snapshot};

/// What is most likely asked after this answer; `None` if it is the last page, or no page. `place`: in a hub's list.
pub(super) fn after(
    kind: &RequestKind,
    response: &HttpResponse,
    place: Option<(RelayList, u64)>,
) -> Option<HttpRequest> {
    if response.status != 200 {
        return None;
    }
    match kind {
        RequestKind::Snapshot(_) => {
            let page: SnapshotPage = protocol::decode(&response.body).ok()?;
            page.next.map(|token| snapshot::page(Some(token)))
        }
        RequestKind::Pull(..) => {
            let page: PullPage = protocol::decode(&response.body).ok()?;
            let goes_on = page.cursor < page.head;
            goes_on.then(|| pull::request(page.cursor, page.last, place))
        }
        RequestKind::Push(_) | RequestKind::Identify => None,
    }
}

/// Of [`protocol::SnapshotResponse`] what is needed here; the decoder steps over the rest.
#[derive(Decode)]
#[cbor(array)]
struct SnapshotPage {
    #[n(3)]
    next: Option<String>,
}

/// The same of [`protocol::PullResponse`].
#[derive(Decode)]
#[cbor(array)]
struct PullPage {
    /// The mark of the last entry.
    #[n(0)]
    #[cbor(decode_with = "last_mark")]
    last: Option<Mark>,
    #[n(1)]
    cursor: Seq,
    #[n(2)]
    head: Seq,
}

fn last_mark<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Option<Mark>, Error> {
    let entries = decoder
        .array()?
        .ok_or_else(|| Error::message("an array without a length"))?;
    for _ in 1..entries {
        decoder.skip()?;
    }
    if entries == 0 {
        return Ok(None);
    }
    let last: LogEntry = decoder.decode()?;
    last.mark().map(Some).map_err(Error::custom)
}
