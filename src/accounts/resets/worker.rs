//! The worker that answers requests for new passwords, after whoever asked has long been answered. Every instance runs
//! one.

use std::{sync::Arc, time::Duration};

use sea_orm::FromQueryResult;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{KIND, LIFETIME, PREFIX, Wish, store};
use crate::{
    accounts::{Account, credentials::address, profile},
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::WriteTx,
    error::{Error, Result},
    mail::{Errand, Letter},
    sessions::opaque,
    types::{Caller, Email, Origin},
};

/// How often the worker looks without being woken.
const EVERY: Duration = Duration::from_secs(5);

/// What a worker works with.
pub struct Worker {
    /// The parts of the server.
    pub app: App,
    /// Told when something was put into the outbox.
    pub wake: Arc<Notify>,
}

/// Whose address it is, and whether they have a password to be replaced.
const FIND: &str = "
    SELECT a.*, c.account_id IS NOT NULL AS has_password FROM account_matches m JOIN accounts a ON a.id = m.account_id
    LEFT JOIN password_credentials c ON c.account_id = a.id WHERE m.field = 'email' AND m.value = ANY ($1) LIMIT 1";

#[derive(FromQueryResult)]
struct Found {
    #[sea_orm(nested)]
    account: entity::accounts::Model,
    has_password: bool,
}

impl Worker {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.next().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "requests for new passwords wait"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Answers one request; `false` when there is none.
    async fn next(&self) -> Result<bool> {
        let tx = self.app.db.write(&self.caller()).await?;
        let Some(errand) = self.app.mail.take_errand(&tx, KIND).await? else { return Ok(false) };
        let id = errand.id;
        let Err(error) = self.answer(tx, &errand).await else { return Ok(true) };
        tracing::warn!(errand = %Uuid::from(id), %error, "a request for a new password failed; it is tried again");
        let tx = self.app.db.write(&self.caller()).await?;
        self.app.mail.postpone_errand(tx, id, "it could not be answered").await?;
        Ok(true)
    }

    async fn answer(&self, tx: WriteTx, errand: &Errand) -> Result<()> {
        let wish = self.app.mail.read_errand(errand)?;
        let wish: Wish = serde_json::from_slice(&wish).map_err(|_| Error::internal("a request can't be read"))?;
        let email: Email = wish.email.parse().map_err(Error::internal)?;
        let origin = Origin {
            request_id: wish.request_id.as_str().into(),
            address: wish.address,
            user_agent: wish.user_agent.as_deref().map(Into::into),
            now: tx.caller().now(),
        };
        let tx = tx.on_behalf_of(origin);
        let found: Vec<Found> = tx.query(FIND, [profile::addresses(&self.app.vault, email.as_str())?.into()]).await?;
        let Some(Found { account, has_password }) = found.into_iter().next() else {
            let event = Event::without_target(Kind::PasswordResetRefused).refused();
            return tx.commit(event.with("reason", "unknown_account")).await;
        };
        let (id, state) = (account.id, account.state);
        let refused = |reason| Event::new(Kind::PasswordResetRefused, id).refused().with("reason", reason);
        if state != entity::accounts::State::Active {
            return tx.commit(refused("blocked")).await;
        }
        if !has_password {
            return tx.commit(refused("no_password")).await;
        }
        self.send(&tx, &profile::open(&self.app.vault, account)?).await?;
        tx.commit(Event::new(Kind::PasswordResetRequested, id)).await
    }

    async fn send(&self, tx: &WriteTx, account: &Account) -> Result<()> {
        let token = opaque(PREFIX, self.app.entropy)?;
        let expires_at = tx.caller().now() + LIFETIME;
        store(tx, account.id, &token, expires_at).await?;
        let link = format!("{}/reset-password#token={}", self.app.public_url, token.expose());
        let letter = Letter::PasswordReset { name: account.name.clone(), link: SecretString::new(link), expires_at };
        self.app.mail.queue(tx, &address(account)?, &letter).await?;
        Ok(())
    }

    /// The platform's reach, because nobody is signed in.
    fn caller(&self) -> Caller {
        let id: Uuid = self.app.ids.next();
        let now = self.app.clock.now();
        Caller::system("passwords", Origin { request_id: id.to_string().into(), address: None, user_agent: None, now })
    }
}
