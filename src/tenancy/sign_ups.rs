//! People who come by themselves (AUT-3): whoever may sign up gets a letter, proves the address by its link, and then
//! has an account, a place in an organisation, or waits for somebody to let them in.
//!
//! Until the link was followed there is no account, so nobody can take an address that is not theirs; and the password
//! is chosen by whoever follows the link, so nobody can choose it for somebody else and wait. Whether an address has an
//! account is told to that address alone.

mod confirm;
mod decide;
mod limits;
mod requests;

use chrono::TimeDelta;
use entity::{AccountId, OrganizationId, Pii, sign_ups as rows};
use sea_orm::FromQueryResult;
use uuid::Uuid;

pub use confirm::{Confirmation, Outcome, Preview, confirm, lookup};
pub use decide::{approve, reject};
pub use requests::{Request, clean_up, expire_all, get, list};

use super::organizations;
use crate::{
    accounts,
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    mail::Letter,
    sessions::{hash, opaque},
    settings::sections::{SignUp as Rules, SignUpMode},
    types::{Caller, Email, Left},
    vault::{Field, Table, Vault},
};

const EMAIL: Field<Pii> = Field::new("sign_ups.email");

/// What of sign-ups is sealed.
pub const SEALED: &[Table] = &[
    crate::vault::sealed_table!("sign_ups", Pii, ["email"]),
    crate::vault::sealed_table!("sign_up_requests", Pii, ["email", "name"]),
];

/// The prefix of sign-up tokens, for people and secret scanners.
pub const PREFIX: &str = "fhu_";
/// How long a link works: long enough for somebody who reads mail once a day.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// Where somebody signs up, and what holds there.
struct Place {
    /// The organisation to join; none for an account alone.
    organization: Option<OrganizationId>,
    rules: Rules,
}

/// What is open to somebody who is not signed in.
#[derive(Clone, Debug)]
pub struct Options {
    /// How people come in.
    pub mode: SignUpMode,
    /// The domains of those who may.
    pub domains: Option<Vec<String>>,
    /// The organisation's name, where people may join it.
    pub organization: Option<String>,
}

#[derive(FromQueryResult)]
struct Named {
    id: Option<Uuid>,
}

impl Place {
    /// What a short name means, or none the platform. An organisation that is not there is one that nobody joins.
    async fn named(app: &App, caller: &Caller, slug: Option<&str>) -> Result<Self> {
        let Some(slug) = slug else {
            return Ok(Self {
                organization: None,
                rules: app.settings.platform(&caller.origin).await?.sign_up.clone(),
            });
        };
        let found = {
            let tx = app.db.read(caller).await?;
            let found: Vec<Named> = tx.query("SELECT organization_of_slug($1) AS id", [slug.into()]).await?;
            found.into_iter().find_map(|named| named.id).map(OrganizationId)
        };
        Self::at(app, caller, Some(found.ok_or(Error::Forbidden(Code::SignUpByInvitation))?)).await
    }

    async fn at(app: &App, caller: &Caller, organization: Option<OrganizationId>) -> Result<Self> {
        let here = organization.unwrap_or(OrganizationId::PLATFORM);
        Ok(Self { organization, rules: app.settings.effective(here, &caller.origin).await?.sign_up.clone() })
    }

    /// The caller, in the organisation or the platform's own.
    fn caller(&self, caller: &Caller) -> Caller {
        caller.within(self.organization.unwrap_or(OrganizationId::PLATFORM))
    }

    /// The organisation's name, while it is there.
    async fn name(&self, tx: &Tx) -> Result<Option<String>> {
        if self.organization.is_none() {
            return Ok(None);
        }
        let found = organizations::get(tx).await?;
        let active = found.status == entity::organizations::Status::Active;
        if active { Ok(Some(found.name)) } else { Err(Error::Forbidden(Code::SignUpByInvitation)) }
    }
}

/// What is open to somebody who is not signed in, in an organisation or for an account alone. Of an organisation that
/// nobody joins by themselves it says what it says of one that does not exist.
///
/// # Errors
/// When the database fails.
pub async fn options(app: &App, caller: &Caller, slug: Option<&str>) -> Result<Options> {
    let closed = Options { mode: SignUpMode::InvitationOnly, domains: None, organization: None };
    let place = match Place::named(app, caller, slug).await {
        Ok(place) if place.rules.mode != SignUpMode::InvitationOnly => place,
        Ok(_) | Err(Error::Forbidden(_)) => return Ok(closed),
        Err(error) => return Err(error),
    };
    let tx = app.db.read(&place.caller(caller)).await?;
    let domains = place.rules.domains.as_ref().map(|domains| domains.iter().map(ToString::to_string).collect());
    Ok(Options { mode: place.rules.mode, domains, organization: place.name(&tx).await? })
}

const ERASE: &str = "DELETE FROM sign_ups WHERE address_tag = $1";
const ERASE_REQUESTS: &str = "DELETE FROM sign_up_requests WHERE account_id = $1 OR address_tag = $2";

/// Removes what a person, who is being erased, has asked for.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &WriteTx, vault: &Vault, account: AccountId, email: Option<&Email>) -> Result<()> {
    let tag = email.map(|email| limits::address(vault, email)).transpose()?.unwrap_or_default();
    tx.execute(ERASE, [tag.clone().into()]).await?;
    tx.execute(ERASE_REQUESTS, [account.into(), tag.into()]).await?;
    Ok(())
}

/// Sends a letter to somebody who wants to come in. Whether the address has an account makes no difference to the
/// answer, nor to the work behind it: only to what the letter says. Returns how many more the client may begin.
///
/// # Errors
/// `Forbidden` with `sign_up_by_invitation`; `Conflict` with `domain_not_allowed`; `Throttled` after too many from there,
/// or to this address.
pub async fn create(app: &App, caller: &Caller, email: &Email, slug: Option<&str>) -> Result<Left> {
    let place = Place::named(app, caller, slug).await?;
    place.rules.admit(email)?;
    let (id, token) = (app.ids.next(), opaque(PREFIX, app.entropy)?);
    let tags = limits::Tags::of(app, caller, email)?;
    let tx = app.db.write(&place.caller(caller)).await?;
    let organization = place.name(&tx).await?;
    let left = limits::hold(app, &tx, &tags).await?;
    let now = caller.now();
    let row = rows::Model {
        id,
        wanted_organization: place.organization,
        email: app.vault.seal(EMAIL, id, email.as_str().as_bytes())?,
        token_hash: hash(token.expose()),
        address_tag: tags.address,
        client_tag: tags.client,
        created_at: now,
        expires_at: now + LIFETIME,
    };
    tx.append(vec![rows::ActiveModel::from(row)]).await?;
    let known = accounts::is_known(&app.vault, &tx, email).await?;
    let link = SecretString::new(format!("{}/sign-up/confirm#token={}", app.public_url, token.expose()));
    let expires_at = now + LIFETIME;
    let letter = match organization {
        Some(organization) if known => Letter::JoinWithAccount { organization, link, expires_at },
        None if known => Letter::AccountExists { sign_in: format!("{}/sign-in", app.public_url) },
        organization => Letter::SignUp { organization, link, expires_at },
    };
    app.mail.queue(&tx, email, &letter).await?;
    let event = Event::new(Kind::SignUpStarted, id);
    let event = place.organization.iter().fold(event, |event, id| event.with("organization", id.to_string()));
    tx.commit(event).await?;
    Ok(left)
}
