//! The invited person's side: the link is looked at, then accepted.
//!
//! A token names its organisation, so that a stranger's transaction can be put into that organisation, and is itself
//! the authority to see the one invitation whose hash it has.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::{OrganizationId, invitations as rows, memberships, organizations as orgs, sessions::Delivery};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QuerySelect};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::address;
use crate::{
    accounts::{self, Entered, Entering, NewAccount},
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Giver, Tx, WriteTx},
    error::{Code, Error, Fault, Result},
    mfa::challenges::Device,
    runtime::{Entropy, Timestamp},
    sessions::hash,
    tenancy::{
        custom_roles::{self, Holder, Row as CustomRole},
        members, organizations, service_accounts,
        teams::{self, Row as Team},
    },
    types::{Caller, Email, Role},
};

/// The prefix of invitation tokens, for people and secret scanners.
pub const PREFIX: &str = "fhi_";
/// The bytes of the organisation's id and of the secret.
const ID: usize = 16;
const SECRET: usize = 32;

/// What the invited person is shown.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The organisation's name.
    pub organization: String,
    /// The invited address.
    pub email: String,
    /// The role.
    pub role: String,
    /// The names of the teams to join.
    pub teams: Vec<String>,
    /// The names of the custom roles beside the role.
    pub custom_roles: Vec<String>,
    /// Who invited.
    pub inviter: Option<String>,
    /// Until when the link works.
    pub expires_at: Timestamp,
    /// Whether the address has an account: then its password is asked for.
    pub account_exists: bool,
    /// What the password of a new account must be.
    pub password_rules: accounts::Rules,
}

/// The invited person's answer.
pub struct Acceptance {
    /// The token of the link.
    pub token: SecretString,
    /// The name of a new account.
    pub name: Option<String>,
    /// The password of the new account, or the one of the account there is.
    pub password: SecretString,
    /// How the tokens of the session travel.
    pub delivery: Delivery,
}

/// A new token and what is stored of it.
pub(super) fn token(organization: OrganizationId, entropy: Entropy) -> Result<(SecretString, Vec<u8>)> {
    let secret = Zeroizing::new(entropy.bytes::<SECRET>()?);
    let mut bytes = Zeroizing::new(Uuid::from(organization).as_bytes().to_vec());
    bytes.extend_from_slice(secret.as_ref());
    let token = SecretString::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&*bytes)));
    let hash = hash(token.expose());
    Ok((token, hash))
}

/// The organisation that a token names. Whether the token is any good is another question.
fn named(token: &str) -> Result<OrganizationId> {
    let bytes = token.strip_prefix(PREFIX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let id = bytes.filter(|bytes| bytes.len() == ID + SECRET).and_then(|bytes| Uuid::from_slice(bytes.get(..ID)?).ok());
    id.map(OrganizationId).ok_or(Error::NotFound(Code::InvitationNotValid))
}

/// What the link is about.
///
/// # Errors
/// `NotFound` with `invitation_not_valid`.
pub async fn lookup(app: &App, caller: &Caller, token: &SecretString) -> Result<Preview> {
    let caller = caller.within(named(token.expose())?);
    let tx = app.db.read(&caller).await?;
    let Valid { row, teams, custom, organization } = valid(app, &tx, token).await?;
    let inviter = match row.invited_by {
        Some(id) => accounts::profiles(&app.vault, &tx, [id]).await?.remove(&id).map(|account| account.name),
        None => None,
    };
    let email = address::of(&app.vault, &row)?;
    let account = accounts::find_by_email(&app.vault, &tx, &email).await?;
    Ok(Preview {
        organization: organization.name,
        role: row.role,
        teams: teams.into_iter().map(|team| team.name).collect(),
        custom_roles: custom.into_iter().map(|role| role.name).collect(),
        inviter,
        expires_at: row.expires_at,
        account_exists: account.is_some(),
        password_rules: app.settings.effective_in(&tx).await?.passwords,
        email: email.to_string(),
    })
}

/// Accepts with a new account, or with the account that the address has and its password, and signs in; a person with a
/// second factor is a member then, and asked for it.
///
/// # Errors
/// `NotFound` with `invitation_not_valid`; `Unauthenticated` with `invalid_credentials`, which is recorded, and
/// `Throttled` after too many of those;
/// `Conflict` with `domain_not_allowed` when the settings have changed since; `Invalid` for a name or password of a new
/// account that is not good enough.
pub async fn accept(app: &App, caller: &Caller, answer: Acceptance) -> Result<Entered> {
    let caller = caller.within(named(answer.token.expose())?);
    let tx = app.db.read(&caller).await?;
    let email = address::of(&app.vault, &valid(app, &tx, &answer.token).await?.row)?;
    app.settings.effective_in(&tx).await?.invitations.admit(&email)?;
    let known = accounts::find_by_email(&app.vault, &tx, &email).await?;
    // The connection must not wait for the hashing pool.
    drop(tx);
    let person = match known {
        Some(_) => {
            let credentials =
                accounts::Credentials { email: &email, password: answer.password, device: None, trusted: None };
            Person::Known(Box::new(accounts::authenticate(app, &caller, credentials).await?))
        }
        None => Person::New(new_account(app, &caller, email, (answer.name.as_deref(), answer.password)).await?),
    };
    let mut tx = app.db.write(&caller).await?;
    let Valid { row, teams, custom, .. } = valid_locked(app, &tx, &answer.token).await?;
    app.settings.effective_in(&tx).await?.invitations.admit(&address::of(&app.vault, &row)?)?;
    let (account, right, second_factor) = match person {
        Person::Known(proven) => (proven.account, Some(proven.right), proven.second_factor),
        Person::New(new) => (accounts::create(&tx, app, new).await?, None, false),
    };
    let session = app.ids.next();
    tx.identify(account.id, session).await?;
    let (id, organization) = (account.id, Some(row.organization_id));
    given(&tx, &row).await?;
    let member = members::add(&tx, app, row.organization_id, account.id, &Role::named(&row.role)).await?;
    teams::join(&tx, &teams, &member).await?;
    receive(&tx, app, &custom, &member).await?;
    let event = mark(&tx, row, id).await?;
    if let Some(right) = right {
        accounts::settled(&tx, &right, id).await?;
    }
    let entering = Entering { account, second_factor, session, delivery: answer.delivery, organization };
    let entered = accounts::enter(app, &mut tx, entering, Device { known: None, remember: false }).await?;
    tx.commit(event).await?;
    app.sessions.forget(id);
    Ok(entered)
}

/// Accepts as the person who is signed in.
///
/// # Errors
/// `NotFound` with `invitation_not_valid`; `Conflict` with `invitation_account_mismatch` when the invitation is for
/// another address, or with `domain_not_allowed` when the settings have changed since.
pub async fn join(app: &App, caller: &Caller, token: &SecretString) -> Result<members::Member> {
    let caller = caller.within(named(token.expose())?);
    let id = caller.account().ok_or(Error::Unauthenticated(Code::Unauthenticated))?;
    let tx = app.db.write(&caller).await?;
    let Valid { row, teams, custom, .. } = valid_locked(app, &tx, token).await?;
    let account = accounts::get(&app.vault, &tx, id).await?;
    let email = address::of(&app.vault, &row)?;
    if account.email != email.as_str() {
        return Err(Error::Conflict(Code::InvitationAccountMismatch));
    }
    app.settings.effective_in(&tx).await?.invitations.admit(&email)?;
    given(&tx, &row).await?;
    let membership = members::add(&tx, app, row.organization_id, id, &Role::named(&row.role)).await?;
    teams::join(&tx, &teams, &membership).await?;
    receive(&tx, app, &custom, &membership).await?;
    let member = members::with_teams(app, &tx, membership, account).await?;
    let event = mark(&tx, row, id).await?;
    tx.commit(event).await?;
    app.sessions.forget(id);
    Ok(member)
}

enum Person {
    Known(Box<accounts::Proven>),
    New(NewAccount),
}

async fn new_account(
    app: &App,
    caller: &Caller,
    email: Email,
    (name, password): (Option<&str>, SecretString),
) -> Result<NewAccount> {
    let missing = || Error::Invalid(vec![Fault::body("/name", "required", "is needed for a new account")]);
    let name = accounts::checked_name(name.ok_or_else(missing)?)?;
    let organizations: Vec<_> = caller.organization().into_iter().collect();
    let rules = app.settings.strictest(&organizations, &caller.origin).await?;
    app.passwords.check(password.expose(), &email, &name, &rules.passwords).await?;
    let password_hash = app.passwords.hash(password).await?;
    // The link went to the address.
    Ok(NewAccount { email, name, password_hash, email_verified_at: Some(caller.now()) })
}

/// Whoever accepts takes what the inviter gave: the history of who holds what names the inviter.
async fn given(tx: &WriteTx, row: &rows::Model) -> Result<()> {
    match (row.invited_by, row.invited_by_service) {
        (Some(inviter), _) => tx.given_by(Giver::Account(inviter)).await,
        (None, Some(service)) => tx.given_by(Giver::Service(service)).await,
        (None, None) => Ok(()),
    }
}

/// Lets a new member hold the custom roles of their invitation.
async fn receive(tx: &WriteTx, app: &App, custom: &[CustomRole], member: &memberships::Model) -> Result<()> {
    if custom.is_empty() {
        return Ok(());
    }
    custom_roles::give(tx, app, Holder::Member(member.id), &[], custom).await?;
    let event = Event::new(Kind::MemberCustomRolesChanged, member.id).in_organization(member.organization_id);
    tx.note(custom_roles::difference(event, &[], custom)).await
}

async fn mark(tx: &WriteTx, row: rows::Model, account: entity::AccountId) -> Result<Event> {
    let id = row.id;
    let mut row = row.into_active_model();
    row.status = Set(rows::Status::Accepted);
    row.accepted_by = Set(Some(account));
    row.accepted_at = Set(Some(tx.caller().now()));
    tx.update(row).await?;
    Ok(Event::new(Kind::InvitationAccepted, id).with("account", account.to_string()))
}

/// An invitation that can be accepted now.
struct Valid {
    row: rows::Model,
    teams: Vec<Team>,
    custom: Vec<CustomRole>,
    organization: orgs::Model,
}

async fn valid(app: &App, tx: &Tx, token: &SecretString) -> Result<Valid> {
    let row = tx.one(by_token(tx, token)).await?.ok_or_else(gone)?;
    let teams = super::teams::of(tx, [row.id]).await?.remove(&row.id).unwrap_or_default();
    let custom = custom_roles::direct(tx, Holder::Invitation(row.id)).await?;
    checked(app, tx, row, (teams, custom)).await
}

async fn valid_locked(app: &App, tx: &WriteTx, token: &SecretString) -> Result<Valid> {
    let row = tx.one(by_token(tx, token).lock_exclusive()).await?.ok_or_else(gone)?;
    let teams = super::teams::staying_of(tx, row.id).await?;
    let custom = custom_roles::direct(tx, Holder::Invitation(row.id)).await?;
    let custom = custom_roles::staying(tx, custom.into_iter().map(|role| role.id).collect()).await?;
    checked(app, tx, row, (teams, custom)).await
}

/// A made-up token is nobody's, and only counted among the errors.
fn by_token(tx: &Tx, token: &SecretString) -> sea_orm::Select<rows::Entity> {
    tx.find::<rows::Entity>().filter(rows::Column::TokenHash.eq(hash(token.expose())))
}

async fn checked(app: &App, tx: &Tx, row: rows::Model, (teams, custom): (Vec<Team>, Vec<CustomRole>)) -> Result<Valid> {
    let organization = organizations::get(tx).await?;
    if let Some(reason) = stale(app, tx, &row, (&teams, &custom), &organization).await? {
        app.refusals.count_use(tx.caller(), Kind::InvitationTokenRefused, row.id, reason);
        return Err(gone());
    }
    Ok(Valid { row, teams, custom, organization })
}

fn gone() -> Error {
    Error::NotFound(Code::InvitationNotValid)
}

/// Why an invitation is not open, if it is not.
async fn stale(
    app: &App,
    tx: &Tx,
    row: &rows::Model,
    (teams, custom): (&[Team], &[CustomRole]),
    organization: &orgs::Model,
) -> Result<Option<&'static str>> {
    let gives = super::gives(app, tx, &row.role, (teams, custom)).await?;
    Ok(match row.status {
        rows::Status::Accepted => Some("accepted"),
        rows::Status::Revoked => Some("revoked"),
        rows::Status::Expired => Some("expired"),
        rows::Status::Pending if row.expires_at <= tx.caller().now() => Some("expired"),
        rows::Status::Pending if organization.status != orgs::Status::Active => Some("organization_deleted"),
        // An invitation is worth what its inviter could give today: it does not outlive their authority.
        rows::Status::Pending => {
            let could = match (row.invited_by, row.invited_by_service) {
                (Some(inviter), _) => members::could_grant(app, tx, inviter, &gives).await?,
                (None, Some(service)) => service_accounts::could_grant(app, tx, service, &gives).await?,
                (None, None) => false,
            };
            (!could).then_some("inviter_without_authority")
        }
    })
}
