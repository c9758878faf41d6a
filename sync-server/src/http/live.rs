//! `GET /v1/live`: server-sent events, `head` with the stream's end whenever it moved. It says "pull now", no more.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use holdfast_core::ids::{DeviceId, Seq};
use tokio::sync::watch;

use super::{ApiError, App, auth::SignedIn};
use crate::{
    places::{Place, Places},
    store::random,
};

/// How often something is sent, so that both sides and all between them know that the line is up.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// When to ask again for a channel, where there is no room for another. Devices look for news without one, too.
const FULL: Duration = Duration::from_mins(1);

/// News are spread over this long for each channel that is open, so that about 1,000 devices a second come and pull.
const EACH: Duration = Duration::from_millis(1);

pub(super) async fn handle(
    State(app): State<App>,
    who: SignedIn,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    channel(&app, who.device.id)
}

/// A channel to a device, or to a hub.
pub(super) fn channel(
    app: &App,
    to: DeviceId,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, ApiError> {
    let place = app.channels.take(to).ok_or(ApiError::Busy(FULL))?;
    let mut channel = Channel {
        head: app.head.clone(),
        closing: app.closing.clone(),
        channels: app.channels.clone(),
        begun: false,
        _place: place,
    };
    // The first event tells where the stream ends now.
    channel.head.mark_changed();
    let events = stream::unfold(channel, next);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// What one channel holds: no queue, only where the stream ends.
struct Channel {
    head: watch::Receiver<Seq>,
    closing: watch::Receiver<bool>,
    channels: Places,
    begun: bool,
    _place: Place,
}

async fn next(mut channel: Channel) -> Option<(Result<Event, Infallible>, Channel)> {
    let told = async {
        channel.head.changed().await.ok()?;
        if channel.begun {
            tokio::time::sleep(spread(channel.channels.taken())).await;
        }
        // What moved meanwhile is told with it.
        Some(*channel.head.borrow_and_update())
    };
    let seq = tokio::select! {
        biased;
        _ = channel.closing.wait_for(|closing| *closing) => return None,
        told = told => told?,
    };
    channel.begun = true;
    Some((Ok(Event::default().event("head").data(seq.to_string())), channel))
}

/// How long a channel waits with its news: devices that were all told at once would all ask at once.
fn spread(channels: usize) -> Duration {
    let most = EACH * u32::try_from(channels).unwrap_or(u32::MAX);
    most.mul_f64(f64::from(u16::from_be_bytes(random::bytes())) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_devices_are_told_at_once_and_thousands_over_seconds() {
        let longest = |channels| (0..1_000).map(|_| spread(channels)).max().unwrap_or_default();
        assert!(longest(20) <= Duration::from_millis(20));
        let (shortest, longest) = ((0..1_000).map(|_| spread(5_000)).min(), longest(5_000));
        assert!(shortest < Some(Duration::from_secs(1)));
        assert!((4..=5).contains(&longest.as_secs()), "{longest:?}");
    }
}
