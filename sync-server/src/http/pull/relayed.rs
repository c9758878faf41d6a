//! A pull at a ward's hub: the stream as far as the hub has it, and with its last page what the hub relays.

use holdfast_core::{
    policy::Role,
    protocol::{PullResponse, encode},
    transaction::Mark,
};

use super::{MAX_BYTES, Page, withhold};
use crate::{
    http::{ApiError, App},
    store::RelayPlace,
    upstream::{Contact, Link},
};

pub(super) async fn read(app: &App, link: &Link, role: Role, page: Page) -> Result<Vec<u8>, ApiError> {
    let since = page.relayed.as_deref().map(str::parse::<RelayPlace>).transpose();
    let since = since.map_err(|error| ApiError::Malformed(format!("`relayed`: {error}")))?;
    // A device that comes from the hospital's server may know more than the hub: then its mark cannot be judged here.
    let is_ahead = page.after > app.store.head().await?;
    let limit = page.limit();
    if let Some(mark) = page.mark
        && !is_ahead
        && app.store.mark(page.after).await? != Some(Mark(mark))
    {
        return Err(ApiError::Diverged);
    }
    let store = link.store();
    let (pulled, mut relayed) = store.pull_relayed(page.after, since, role, limit, MAX_BYTES).await?;
    if let Some(relayed) = &mut relayed {
        let state = link.state();
        relayed.contact = state.last;
        relayed.linked = state.contact == Contact::Up;
    }
    let checksum = pulled.checksum(role).filter(|_| pulled.head >= page.after);
    let entries = withhold(pulled.entries, role)?;
    let response = PullResponse {
        checksum,
        relayed,
        cursor: entries.last().map_or(page.after, |last| last.seq),
        entries,
        head: pulled.head.max(page.after),
    };
    Ok(encode(&response))
}
