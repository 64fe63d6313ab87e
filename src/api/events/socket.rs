//! The life of one stream, from its handshake to its last frame.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use poem::web::websocket::{Message, WebSocketStream};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Interval, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    hub::{Hub, Told},
    places::{Closed, Place},
    wire::{EventMessage, EventsHello, EventsStill},
};
use crate::{
    audit::feed::Moment,
    edge::{guard::Authority, listener::Occupied},
    error::Error,
};

/// How often it asks whether the caller may still see this. With the 800 ms for which what is kept is trusted without a
/// proof (`db::changes`) less than the second of SES-4.
const CHECKED: Duration = Duration::from_millis(150);
/// How long the answer may take.
const ANSWERED: Duration = Duration::from_secs(1);
/// How long it may take until the record is watched.
const BEGUN: Duration = Duration::from_secs(10);
/// How long a client may take for one message.
const TAKEN: Duration = Duration::from_secs(10);
/// How long a client may take to answer the last frame.
const GOODBYE: Duration = Duration::from_secs(1);

/// A stream that is about to begin.
pub(super) struct Socket {
    pub hub: Arc<Hub>,
    pub authority: Authority,
    /// Where an earlier one ended.
    pub after: Option<Moment>,
    /// Its place among the streams.
    pub place: Place,
    /// Its place among the connections.
    pub occupied: Option<Occupied>,
}

/// A stream that is alive.
struct Live {
    hub: Arc<Hub>,
    watch: Watch,
    to: SplitSink<WebSocketStream, Message>,
    from: SplitStream<WebSocketStream>,
    ping: Interval,
    /// Whether the client has been heard of since the last ping.
    heard: bool,
    /// Whether the client has been told anything since then.
    told: bool,
    /// Whether a message was broken off, so that nothing can follow it.
    torn: bool,
}

/// What ends a stream whatever it is doing.
struct Watch {
    stop: CancellationToken,
    authority: Authority,
    check: Interval,
}

impl Socket {
    /// Lives until something ends it.
    pub(super) async fn live(self, stream: WebSocketStream) {
        let Self { hub, authority, after, place, occupied } = self;
        let (to, from) = stream.split();
        let watch = Watch { stop: hub.stop().clone(), authority, check: every(CHECKED) };
        let ping = every(hub.ping_interval());
        let mut live = Live { hub, watch, to, from, ping, heard: true, told: false, torn: false };
        let closed = match live.begin(after).await {
            Ok((moment, told)) => live.tell(moment, told).await,
            Err(closed) => closed,
        };
        live.hub.count(closed);
        live.close(closed).await;
        drop((place, occupied));
    }
}

/// Ticks from now on, the first time after a pause.
fn every(pause: Duration) -> Interval {
    let mut interval = interval(pause);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}

impl Watch {
    /// Waits for something, unless the stream ends first.
    async fn during<F: Future>(&mut self, future: F) -> Result<F::Output, Closed> {
        let mut future = pin!(future);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Closed::Stopped),
                _ = self.check.tick() => self.check().await?,
                output = &mut future => return Ok(output),
            }
        }
    }

    /// Whether the caller may still see this.
    async fn check(&mut self) -> Result<(), Closed> {
        match timeout(ANSWERED, self.authority.holds()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Error::Unauthenticated(_))) => Err(Closed::SignedOut),
            Ok(Err(Error::Forbidden(_) | Error::NotFound(_))) => Err(Closed::NotAllowed),
            // Whoever may have lost it is not shown it.
            Ok(Err(_)) | Err(_) => Err(Closed::Failed),
        }
    }
}

impl Live {
    /// Says hello, and what came since an earlier stream ended.
    async fn begin(&mut self, after: Option<Moment>) -> Result<(Arc<Moment>, Receiver<Arc<Told>>), Closed> {
        let organization = self.watch.authority.organization();
        self.send(EventMessage::Hello(EventsHello { organization_id: organization.into() })).await?;
        let hub = self.hub.clone();
        let beginning = async {
            let beginning = hub.watch(organization).await?;
            let missed = match &after {
                Some(after) => hub.missed(organization, after, &beginning.moment).await?.messages,
                None => Vec::new(),
            };
            Ok::<_, Error>((beginning, missed))
        };
        let (beginning, missed) = match self.watch.during(timeout(BEGUN, beginning)).await? {
            Ok(Ok(begun)) => begun,
            Ok(Err(error)) => {
                tracing::warn!(%error, "a live stream could not begin");
                return Err(Closed::Failed);
            }
            Err(_) => return Err(Closed::Failed),
        };
        if missed.is_empty() {
            self.send(EventMessage::Still(EventsStill { cursor: beginning.moment.cursor() })).await?;
        }
        for message in missed {
            self.send_text(message).await?;
        }
        Ok((beginning.moment, beginning.told))
    }

    /// Tells what happens until something ends it.
    async fn tell(&mut self, mut moment: Arc<Moment>, mut told: Receiver<Arc<Told>>) -> Closed {
        loop {
            let turn = tokio::select! {
                biased;
                () = self.watch.stop.cancelled() => Err(Closed::Stopped),
                _ = self.watch.check.tick() => self.watch.check().await,
                _ = self.ping.tick() => self.ping(&moment).await,
                said = self.from.next() => self.hear(said),
                next = told.recv() => match next {
                    Ok(next) => {
                        moment = next.moment.clone();
                        self.pass_on(&next).await
                    }
                    Err(RecvError::Lagged(_)) => Err(Closed::Slow),
                    Err(RecvError::Closed) => Err(Closed::Failed),
                },
            };
            if let Err(closed) = turn {
                return closed;
            }
        }
    }

    async fn pass_on(&mut self, told: &Told) -> Result<(), Closed> {
        for message in &told.messages {
            self.send_text(message.clone()).await?;
        }
        Ok(())
    }

    /// Asks whether the client is still there, and says that we are.
    async fn ping(&mut self, moment: &Moment) -> Result<(), Closed> {
        if !self.heard {
            return Err(Closed::Unanswered);
        }
        self.heard = false;
        self.send_message(Message::Ping(Vec::new())).await?;
        if !self.told {
            self.send(EventMessage::Still(EventsStill { cursor: moment.cursor() })).await?;
        }
        self.told = false;
        Ok(())
    }

    /// What the client says: that it is there, or that it leaves.
    fn hear(&mut self, said: Option<std::io::Result<Message>>) -> Result<(), Closed> {
        self.heard = true;
        match said {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Text(_) | Message::Binary(_))) => Err(Closed::Spoke),
            Some(Ok(Message::Close(_))) | None => Err(Closed::Left),
            // poem passes on as `Other` what was wrong with what came, and as they are the faults of the connection.
            Some(Err(error)) if error.kind() == std::io::ErrorKind::Other => Err(Closed::Broken),
            Some(Err(_)) => Err(Closed::Left),
        }
    }

    async fn send(&mut self, message: EventMessage) -> Result<(), Closed> {
        self.send_text(message.text()).await
    }

    async fn send_text(&mut self, text: String) -> Result<(), Closed> {
        self.told = true;
        self.send_message(Message::Text(text)).await
    }

    /// Sends a message whole, unless the stream ends or the client does not take it.
    async fn send_message(&mut self, message: Message) -> Result<(), Closed> {
        // Until it has gone whole.
        self.torn = true;
        match self.watch.during(timeout(TAKEN, self.to.send(message))).await? {
            Ok(Ok(())) => {
                self.torn = false;
                Ok(())
            }
            Ok(Err(_)) => Err(Closed::Left),
            Err(_) => Err(Closed::Slow),
        }
    }

    /// Tells the client why, and gives it a moment to say goodbye.
    async fn close(mut self, closed: Closed) {
        let Some(code) = closed.code().filter(|_| !self.torn) else { return };
        let goodbye = async {
            let last = Message::Close(Some((code, closed.name().to_owned())));
            if self.to.send(last).await.is_ok() {
                while let Some(Ok(_)) = self.from.next().await {}
            }
        };
        // Whoever does not answer is gone.
        let _ = timeout(GOODBYE, goodbye).await;
    }
}
