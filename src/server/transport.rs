//! How the server is reached: its sockets, and TLS of its own.

use std::{net::SocketAddr, sync::Arc};

use poem::{Endpoint, Response};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    certificates::{Renewal, Store},
    config::{Config, Tls},
    edge::{
        listener::{self, ListenerSettings},
        tls::{self, Acceptor, Files},
    },
    error::{Error, Result},
};

/// The sockets that the server listens on.
pub(super) struct Sockets {
    main: TcpListener,
    /// Without TLS, beside a main one that has it.
    redirect: Option<TcpListener>,
}

impl Sockets {
    /// Takes the addresses of the configuration.
    ///
    /// # Errors
    /// When one is taken, or may not be listened on; the text is for the operator.
    pub(super) async fn bind(config: &Config) -> Result<Self> {
        let bind = async |address: SocketAddr| {
            let bound = TcpListener::bind(address).await;
            bound.map_err(|error| Error::internal(format!("can't listen on {address}: {error}")))
        };
        let redirect = match config.http.redirect_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self { main: bind(config.http.listen).await?, redirect })
    }

    /// Where the server is.
    pub(super) fn address(&self) -> Result<SocketAddr> {
        self.main.local_addr().map_err(Error::internal)
    }

    /// Serves on all of them until `stop`.
    pub(super) async fn serve<E>(self, endpoint: Arc<E>, settings: ListenerSettings, stop: CancellationToken)
    where
        E: Endpoint<Output = Response> + 'static,
    {
        let plain = ListenerSettings { tls: None, ..settings.clone() };
        let redirect = async {
            if let Some(socket) = self.redirect {
                serve(socket, Arc::clone(&endpoint), plain, stop.clone()).await;
            }
        };
        tokio::join!(redirect, serve(self.main, Arc::clone(&endpoint), settings, stop.clone()));
    }
}

async fn serve<E>(socket: TcpListener, endpoint: Arc<E>, settings: ListenerSettings, stop: CancellationToken)
where
    E: Endpoint<Output = Response> + 'static,
{
    if let Err(error) = listener::serve(socket, endpoint, settings, stop).await {
        tracing::error!(%error, "the accept loop ended");
    }
}

/// The bounds of the accept loop, and what ends TLS. What follows changes of a certificate joins the workers.
///
/// # Errors
/// When a certificate can't be used; the text is for the operator.
pub(super) async fn settings(
    config: &Config,
    app: &App,
    workers: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Result<ListenerSettings> {
    let tls = match &config.http.tls {
        None => None,
        Some(Tls::Files { certificate, key }) => {
            let (files, watch) = Files::open(certificate.clone(), key.clone()).await?;
            workers.spawn(watch.run(stop.clone()));
            Some(Acceptor::new(files)?)
        }
        Some(Tls::Acme(acme)) => {
            let host = config.http.public_url.host();
            let store = Store { db: app.db.clone(), vault: app.vault.clone(), clock: app.clock.clone() };
            let renewal = Renewal::new(acme, &host, store, tls::provider()).await?;
            let acceptor = Acceptor::new(renewal.resolver())?;
            workers.spawn(renewal.run(stop.clone()));
            Some(acceptor)
        }
    };
    Ok(ListenerSettings {
        max_connections: config.http.max_connections,
        trusted_proxies: config.http.trusted_proxies.clone(),
        header_timeout: config.http.header_timeout,
        max_headers: config.http.max_headers,
        max_header_bytes: config.http.max_header_bytes,
        drain_timeout: config.http.drain,
        tls,
        ..ListenerSettings::default()
    })
}
