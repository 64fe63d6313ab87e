//! The second half of a sign-up: whoever follows the link has proven the address, and says who they are.

use entity::{OrganizationId, SignUpId, sessions::Delivery, sign_ups as rows};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use super::{EMAIL, Place, limits, requests};
use crate::{
    accounts::{self, Account, Entered, Entering, NewAccount},
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Tx, WriteTx},
    error::{Code, Error, Fault, Result},
    mfa::challenges::Device,
    runtime::Timestamp,
    sessions::hash,
    settings::sections::SignUpMode,
    tenancy::members,
    types::{Caller, Email, Role},
};

/// What every member by sign-up is, and no more.
pub(super) const ROLE: &str = "member";

/// What the link is about.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The address that it proves.
    pub email: String,
    /// The name of the organisation to join, if one was named.
    pub organization: Option<String>,
    /// Whether somebody has to let the person in.
    pub approval: bool,
    /// Whether the address has an account: then its password is asked for.
    pub account_exists: bool,
    /// Until when the link works.
    pub expires_at: Timestamp,
    /// What the password of a new account must be.
    pub password_rules: accounts::Rules,
}

/// What whoever follows the link says.
pub struct Confirmation {
    /// The token of the link.
    pub token: SecretString,
    /// The name of a new account.
    pub name: Option<String>,
    /// The password of the new account, or the one of the account there is.
    pub password: SecretString,
    /// How the tokens of the session travel.
    pub delivery: Delivery,
}

/// What came of it.
pub enum Outcome {
    /// The person is in, or asked for their second factor.
    Entered(Entered),
    /// The person waits for an administrator.
    Waiting,
}

/// A sign-up whose link can be followed now.
struct Valid {
    email: Email,
    place: Place,
    account: Option<Account>,
    expires_at: Timestamp,
}

/// What the link is about.
///
/// # Errors
/// `NotFound` with `sign_up_not_valid`.
pub async fn lookup(app: &App, caller: &Caller, token: &SecretString) -> Result<Preview> {
    let valid = valid(app, caller, token).await?;
    let tx = app.db.read(&valid.place.caller(caller)).await?;
    Ok(Preview {
        email: valid.email.to_string(),
        organization: valid.place.name(&tx).await.map_err(closed)?,
        approval: valid.place.rules.mode == SignUpMode::ApprovalRequired,
        account_exists: valid.account.is_some(),
        expires_at: valid.expires_at,
        password_rules: app.settings.effective_in(&tx).await?.passwords,
    })
}

/// Completes a sign-up: with a new account, or by joining with the account there is.
///
/// # Errors
/// `NotFound` with `sign_up_not_valid`, also when the rules have changed since; `Unauthenticated` with
/// `invalid_credentials`, which is recorded; `Conflict` with `already_member`; `Invalid` for a name or password that is not
/// good enough, and the link stays good.
pub async fn confirm(app: &App, caller: &Caller, answer: Confirmation) -> Result<Outcome> {
    let Valid { email, place, account, .. } = valid(app, caller, &answer.token).await?;
    let caller = place.caller(caller);
    // No connection is held here: the hashing pool may take its time.
    let (person, right) = match account {
        Some(_) => {
            let credentials =
                accounts::Credentials { email: &email, password: answer.password, device: None, trusted: None };
            let proven = accounts::authenticate(app, &caller, credentials).await?;
            (Person::Known(proven.account, proven.second_factor), Some(proven.right))
        }
        None => {
            let new = new_account(app, &caller, &email, (answer.name.as_deref(), answer.password)).await?;
            (Person::New(new), None)
        }
    };
    let tx = app.db.write(&caller).await?;
    take(&tx, &answer.token).await?;
    if let (Person::Known(account, _), Some(right)) = (&person, &right) {
        accounts::settled(&tx, right, account.id).await?;
    }
    place.name(&tx).await.map_err(closed)?;
    let rules = app.settings.effective_in(&tx).await?.sign_up.clone();
    rules.admit(&email).map_err(closed)?;
    forget(app, &tx, &email, place.organization).await?;
    if rules.mode == SignUpMode::ApprovalRequired {
        return requests::wait(app, tx, &email, person).await.map(|()| Outcome::Waiting);
    }
    enter(app, tx, (place.organization, person), answer.delivery).await
}

/// Who follows the link.
pub(super) enum Person {
    /// Somebody with an account, and its password; and whether they have a second factor, which they have not proven.
    Known(Account, bool),
    /// Somebody else.
    New(NewAccount),
}

async fn enter(
    app: &App,
    mut tx: WriteTx,
    (organization, person): (Option<OrganizationId>, Person),
    delivery: Delivery,
) -> Result<Outcome> {
    let (account, second_factor) = match person {
        Person::Known(account, second_factor) => (account, second_factor),
        Person::New(new) => (accounts::create(&tx, app, new).await?, false),
    };
    let session = app.ids.next();
    tx.identify(account.id, session).await?;
    accounts::email::proven(&tx, &account).await?;
    let mut event = Event::new(Kind::SignUpCompleted, account.id);
    if let Some(organization) = organization {
        members::add(&tx, app, organization, account.id, &Role::named(ROLE)).await?;
        event = event.with("organization", organization.to_string());
    }
    let (id, device) = (account.id, Device { known: None, remember: false });
    let entering = Entering { account, second_factor, session, delivery, organization };
    let entered = accounts::enter(app, &mut tx, entering, device).await?;
    tx.commit(event).await?;
    app.sessions.forget(id);
    Ok(Outcome::Entered(entered))
}

async fn new_account(
    app: &App,
    caller: &Caller,
    email: &Email,
    (name, password): (Option<&str>, SecretString),
) -> Result<NewAccount> {
    let missing = || Error::Invalid(vec![Fault::body("/name", "required", "is needed for a new account")]);
    let name = accounts::checked_name(name.ok_or_else(missing)?)?;
    let organizations: Vec<_> = caller.organization().into_iter().collect();
    let rules = app.settings.strictest(&organizations, &caller.origin).await?;
    app.passwords.check(password.expose(), email, &name, &rules.passwords).await?;
    let password_hash = app.passwords.hash(password).await?;
    Ok(NewAccount { email: email.clone(), name, password_hash, email_verified_at: Some(caller.now()) })
}

async fn valid(app: &App, caller: &Caller, token: &SecretString) -> Result<Valid> {
    let (row, email, account) = {
        let tx = app.db.read(caller).await?;
        let row = open(&tx, token).await?;
        let email: Email = app.vault.open_text(EMAIL, row.id, &row.email)?.parse().map_err(Error::internal)?;
        let account = accounts::find_by_email(&app.vault, &tx, &email).await?;
        (row, email, account)
    };
    let place = Place::at(app, caller, row.wanted_organization).await?;
    place.rules.admit(&email).map_err(closed)?;
    // For an account alone, having one already is the end of it.
    if account.is_some() && place.organization.is_none() {
        return Err(not_valid());
    }
    Ok(Valid { email, place, account, expires_at: row.expires_at })
}

async fn open(tx: &Tx, token: &SecretString) -> Result<rows::Model> {
    let query = tx
        .find_identity::<rows::Entity>()
        .filter(rows::Column::TokenHash.eq(hash(token.expose())))
        .filter(rows::Column::ExpiresAt.gt(tx.caller().now()));
    tx.one(query).await?.ok_or_else(not_valid)
}

#[derive(FromQueryResult)]
struct Taken {
    #[expect(dead_code, reason = "that there is one is the answer")]
    id: SignUpId,
}

/// Uses a link up: of several who follow it at the same time, one gets through.
async fn take(tx: &WriteTx, token: &SecretString) -> Result<()> {
    let sql = "DELETE FROM sign_ups WHERE token_hash = $1 AND expires_at > $2 RETURNING id";
    let taken: Vec<Taken> = tx.query(sql, [hash(token.expose()).into(), tx.caller().now().into()]).await?;
    if taken.is_empty() { Err(not_valid()) } else { Ok(()) }
}

/// Makes the other links to the address into the same place useless: their purpose is served.
async fn forget(app: &App, tx: &WriteTx, email: &Email, organization: Option<OrganizationId>) -> Result<()> {
    let sql = "DELETE FROM sign_ups WHERE address_tag = $1 AND wanted_organization IS NOT DISTINCT FROM $2";
    tx.execute(sql, [limits::address(&app.vault, email)?.into(), organization.map(Uuid::from).into()]).await?;
    Ok(())
}

fn not_valid() -> Error {
    Error::NotFound(Code::SignUpNotValid)
}

/// What has been closed since the letter was sent looks like a link that was never there.
fn closed(error: Error) -> Error {
    match error {
        Error::Forbidden(_) | Error::Conflict(_) | Error::NotFound(_) => not_valid(),
        error => error,
    }
}
