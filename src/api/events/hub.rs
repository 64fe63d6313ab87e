//! The one who watches the record for all streams of this instance.
//!
//! While anybody watches, it asks every half second what is new of all organisations that are watched: one query by ids,
//! whatever their number. What is new it reads as the application in that organisation, like a search of the record, once
//! for all who watch it. That needs no word from those who write, so it works whatever becomes of notifications, and costs
//! nothing while nobody watches.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use entity::{AuditEntryId, OrganizationId};
use futures_util::{StreamExt, stream};
use tokio::sync::{Notify, broadcast, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{
    places::{Closed, Full, Open, Place, Places},
    wire::{EventMessage, EventsEntries, EventsGap},
};
use crate::{
    api::audit::{Actors, AuditEntry},
    app::App,
    audit::feed::{self, Follower, Moment, News},
    config,
    error::{Error, Result},
    types::{Caller, Origin},
};

/// How often it looks: half of the second within which what happened is told.
const PACE: Duration = Duration::from_millis(500);
/// How long it waits after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// How long streams may take to say goodbye when the server stops.
const GOODBYE: Duration = Duration::from_secs(3);
/// How many organisations' news are read at once.
const AT_ONCE: usize = 4;
/// How many rounds a stream may be behind. It gives up long before that (`socket`).
const ROUNDS: usize = 64;
/// Files of the record on their way at once, on this instance. Each holds a page or two, some megabytes at most.
const FILES: usize = 16;
/// Of these, one account's: the one that it asked for, and the one that it asked for instead.
const FILES_PER_ACCOUNT: usize = 2;
/// The most entries of one message.
const A_MESSAGE: usize = 100;

/// What is told to everybody who watches an organisation.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// What to send; nothing when nothing has happened.
    pub messages: Vec<String>,
    /// How far the stream has come with it.
    pub moment: Arc<Moment>,
}

/// Where a stream begins.
pub(super) struct Beginning {
    /// Everything that is not seen at this moment will be told.
    pub moment: Arc<Moment>,
    pub told: broadcast::Receiver<Arc<Told>>,
}

struct Newcomer {
    organization: OrganizationId,
    begin: oneshot::Sender<Beginning>,
}

type Watched = HashMap<OrganizationId, broadcast::Sender<Arc<Told>>>;

/// All streams of this instance.
pub struct Hub {
    app: App,
    places: Arc<Places>,
    /// Of files of the record, which are streams that end by themselves.
    files: Arc<Places>,
    newcomers: Mutex<Vec<Newcomer>>,
    wake: Notify,
    stop: CancellationToken,
    streams: TaskTracker,
}

impl Hub {
    /// With nobody who watches. Streams end with `stop`.
    pub fn new(app: &App, bounds: config::Events, stop: &CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            app: app.clone(),
            places: Places::new(bounds),
            files: Places::new(config::Events {
                max_streams: FILES,
                max_streams_per_account: FILES_PER_ACCOUNT,
                ..bounds
            }),
            newcomers: Mutex::default(),
            wake: Notify::new(),
            stop: stop.clone(),
            streams: TaskTracker::new(),
        })
    }

    /// How many streams there are.
    pub fn open(&self) -> Open {
        self.places.open()
    }

    /// How many have ended since this instance started, by reason.
    pub fn closed(&self) -> impl Iterator<Item = (Closed, u64)> + '_ {
        self.places.closed()
    }

    /// Watches until the server stops, and then waits for the streams to end.
    pub async fn run(self: Arc<Self>) {
        let (mut follower, mut watched) = (Follower::default(), Watched::new());
        loop {
            let pause = async {
                if watched.is_empty() { std::future::pending().await } else { tokio::time::sleep(PACE).await }
            };
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = self.wake.notified() => {}
                () = pause => {}
            }
            if let Err(error) = self.round(&mut follower, &mut watched).await {
                tracing::warn!(%error, "the record can't be watched; what comes meanwhile is told later");
                tokio::time::sleep(PAUSE).await;
                self.wake.notify_one();
            }
        }
        self.streams.close();
        if tokio::time::timeout(GOODBYE, self.streams.wait()).await.is_err() {
            tracing::warn!(streams = self.streams.len(), "live streams did not end in time and are cut off");
        }
    }

    /// One look at the record, for those who watch and those who begin to.
    async fn round(&self, follower: &mut Follower, watched: &mut Watched) -> Result<()> {
        watched.retain(|_, told| told.receiver_count() > 0);
        // Taken before the moment, so that whatever they have seen elsewhere is seen at it.
        let newcomers = std::mem::take(&mut *self.newcomers());
        if watched.is_empty() && newcomers.is_empty() {
            follower.rest();
            return Ok(());
        }
        let organizations: Vec<_> = watched.keys().copied().collect();
        let step = async {
            let tx = self.app.db.read(&self.caller()).await?;
            follower.step(&tx, &organizations).await
        };
        let (moment, news) = match step.await {
            Ok(step) => step,
            Err(error) => {
                self.newcomers().extend(newcomers);
                return Err(error);
            }
        };
        let moment = Arc::new(moment);
        let telling = news.into_iter().map(|(organization, news)| {
            let moment = moment.clone();
            async move { (organization, self.told(organization, news, moment).await) }
        });
        let mut telling = stream::iter(telling).buffer_unordered(AT_ONCE);
        while let Some((organization, told)) = telling.next().await {
            match told {
                // Whoever has left meanwhile does not hear it.
                Ok(told) => drop(watched.get(&organization).map(|sender| sender.send(Arc::new(told)))),
                Err(error) => {
                    tracing::warn!(%error, "what is new could not be read; its streams have to come back");
                    watched.remove(&organization);
                }
            }
        }
        for Newcomer { organization, begin } in newcomers {
            let told = watched.entry(organization).or_insert_with(|| broadcast::channel(ROUNDS).0).subscribe();
            // Whoever has left meanwhile watches nothing.
            drop(begin.send(Beginning { moment: moment.clone(), told }));
        }
        Ok(())
    }

    fn newcomers(&self) -> std::sync::MutexGuard<'_, Vec<Newcomer>> {
        self.newcomers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn caller(&self) -> Caller {
        let App { ids, clock, .. } = &self.app;
        let request_id = ids.next::<Uuid>().to_string().into();
        Caller::system("events", Origin { request_id, address: None, user_agent: None, now: clock.now() })
    }
}

/// What streams ask of it.
impl Hub {
    pub(super) fn place(&self, caller: &Caller) -> Result<Place, Full> {
        self.places.take(caller)
    }

    /// A place for a file of the record.
    pub(in crate::api) fn file_place(&self, caller: &Caller) -> Result<Place, Full> {
        self.files.take(caller)
    }

    pub(super) fn count(&self, closed: Closed) {
        self.places.count(closed);
    }

    pub(super) fn ping_interval(&self) -> Duration {
        self.places.ping_interval()
    }

    /// Ends when the server stops.
    pub(in crate::api) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Runs a stream that the server's end waits for.
    pub(in crate::api) fn track<F: Future>(&self, stream: F) -> impl Future<Output = F::Output> + use<F> {
        self.streams.track_future(stream)
    }

    /// Begins to watch an organisation, at a moment that is later than this call.
    pub(super) async fn watch(&self, organization: OrganizationId) -> Result<Beginning> {
        let (begin, begun) = oneshot::channel();
        self.newcomers().push(Newcomer { organization, begin });
        self.wake.notify_one();
        begun.await.map_err(|_| Error::internal("nobody watches the record any more"))
    }

    /// What came between a moment that a client knows and the beginning of its stream.
    pub(super) async fn missed(
        &self,
        organization: OrganizationId,
        after: &Moment,
        until: &Arc<Moment>,
    ) -> Result<Told> {
        let tx = self.app.db.read(&self.caller().within(organization)).await?;
        let news = feed::between(&tx, after, until).await?;
        drop(tx);
        self.told(organization, news, until.clone()).await
    }

    async fn told(&self, organization: OrganizationId, news: News, moment: Arc<Moment>) -> Result<Told> {
        let messages = match news {
            News::Entries(ids) if ids.is_empty() => Vec::new(),
            News::Entries(ids) => messages(self.read(organization, ids).await?, &moment),
            News::TooMuch => vec![EventMessage::Gap(EventsGap { cursor: moment.cursor() }).text()],
        };
        Ok(Told { messages, moment })
    }

    /// The entries as a search of the record shows them, under row-level security.
    async fn read(&self, organization: OrganizationId, ids: Vec<AuditEntryId>) -> Result<Vec<AuditEntry>> {
        let tx = self.app.db.read(&self.caller().within(organization)).await?;
        let entries = feed::of_ids(&self.app.vault, &tx, ids).await?;
        let actors = Actors::of(&self.app.vault, &tx, &entries).await?;
        Ok(entries.into_iter().map(|entry| AuditEntry::of(entry, &actors)).collect())
    }
}

fn messages(mut entries: Vec<AuditEntry>, moment: &Moment) -> Vec<String> {
    let mut messages = Vec::with_capacity(entries.len() / A_MESSAGE + 1);
    while !entries.is_empty() {
        let rest = entries.split_off(entries.len().min(A_MESSAGE));
        let cursor = rest.is_empty().then(|| moment.cursor());
        messages.push(EventMessage::Entries(EventsEntries { items: entries, cursor }).text());
        entries = rest;
    }
    messages
}
