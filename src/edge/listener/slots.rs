//! How many connections there are, in all and from each client, so that one client can't take them all.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ListenerSettings;
use crate::types::network;

/// The free places for connections.
#[derive(Debug)]
pub(super) struct Slots {
    all: Arc<Semaphore>,
    per_client: usize,
    exempt: Vec<IpNet>,
    clients: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    /// `None` for a proxy.
    client: Option<IpAddr>,
    _place: OwnedSemaphorePermit,
}

impl Slots {
    pub(super) fn new(settings: &ListenerSettings) -> Self {
        Self {
            all: Arc::new(Semaphore::new(settings.max_connections)),
            per_client: settings.max_connections_per_client,
            exempt: settings.trusted_proxies.clone(),
            clients: Mutex::default(),
        }
    }

    /// A place for a connection from there; `None` when there is none.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Slot> {
        let place = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let peer = peer.to_canonical();
        let is_exempt = peer.is_loopback() || self.exempt.iter().any(|network| network.contains(&peer));
        let client = (!is_exempt).then(|| network(peer));
        if let Some(client) = client {
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            let count = clients.entry(client).or_default();
            if *count >= self.per_client {
                return None;
            }
            *count += 1;
        }
        Some(Slot { slots: Arc::clone(self), client, _place: place })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(client) = self.client else { return };
        let mut clients = self.slots.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = clients.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                clients.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(all: usize, per_client: usize) -> Arc<Slots> {
        let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        let settings = ListenerSettings {
            max_connections: all,
            max_connections_per_client: per_client,
            trusted_proxies,
            ..Default::default()
        };
        Arc::new(Slots::new(&settings))
    }

    #[test]
    fn one_client_does_not_take_the_places_of_others() {
        let slots = slots(10, 1);
        let (one, two) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        let first = slots.take(one);
        assert!(first.is_some());
        assert!(slots.take(two).is_none(), "the same /64");
        assert!(slots.take("192.0.2.1".parse().unwrap()).is_some());
        drop(first);
        assert!(slots.take(two).is_some());
        assert!(slots.clients.lock().unwrap().is_empty());
        let proxied: Vec<_> = (0..10).map(|_| slots.take("10.1.1.1".parse().unwrap())).collect();
        assert!(proxied.iter().all(Option::is_some));
        assert!(slots.take("10.1.1.1".parse().unwrap()).is_none(), "no place left in all");
    }
}
