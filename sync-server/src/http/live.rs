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
use holdfast_core::ids::Seq;
use tokio::sync::watch;

use super::{App, auth::SignedIn};

/// How often something is sent, so that both sides and all between them know that the line is up.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) async fn handle(State(app): State<App>, _: SignedIn) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut head = app.head.clone();
    // The first event tells where the stream ends now.
    head.mark_changed();
    let events = stream::unfold((head, app.closing.clone()), next);
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

type Watched = (watch::Receiver<Seq>, watch::Receiver<bool>);

async fn next((mut head, mut closing): Watched) -> Option<(Result<Event, Infallible>, Watched)> {
    let closed = closing.wait_for(|closing| *closing);
    let moved = tokio::select! {
        biased;
        _ = closed => return None,
        moved = head.changed() => moved,
    };
    moved.ok()?;
    let seq = *head.borrow_and_update();
    Some((
        Ok(Event::default().event("head").data(seq.to_string())),
        (head, closing),
    ))
}
