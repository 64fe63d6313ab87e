//! Passwords under the rules of where their owner belongs: the strictest of the platform and all of their
//! organisations (AUT-2). What a password is, and how it is kept, is the business of `accounts`.

use entity::{AccountId, OrganizationId};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{invitations, setup, sign_ups};
use crate::{
    accounts::{self, Rules, Verdict, resets},
    app::App,
    config::SecretString,
    error::{Code, Error, Result},
    runtime::Timestamp,
    types::{Caller, Email},
};

/// Every organisation that somebody belongs to, blocked or not: they may be let in again without a new password.
const BELONGS: &str = "
    SELECT m.organization_id AS id FROM memberships m JOIN organizations o ON o.id = m.organization_id
    WHERE m.account_id = $1 AND o.status = 'active' LIMIT 1000";

#[derive(FromQueryResult)]
struct Belongs {
    id: OrganizationId,
}

/// A person's own password, as far as anybody is told.
#[derive(Clone, Copy, Debug)]
pub struct OwnPassword {
    /// Since when it is theirs; `None` when they have none.
    pub since: Option<Timestamp>,
    /// What a new one must be.
    pub rules: Rules,
}

/// A password that somebody with a link may choose, with what the link may not say of them.
pub struct Candidate {
    /// The password.
    pub password: SecretString,
    /// How they will be called.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<Email>,
}

/// Whom a password is meant for.
struct Owner {
    email: Email,
    name: String,
    rules: Rules,
}

/// The rules for a person's passwords.
async fn rules_of(app: &App, caller: &Caller, account: AccountId) -> Result<Rules> {
    // In their own name: nobody else may see where they belong.
    let caller = caller.acting_as(account, caller.session().unwrap_or_else(|| app.ids.next()));
    let places: Vec<Belongs> = app.db.read(&caller).await?.query(BELONGS, [Uuid::from(account).into()]).await?;
    let places: Vec<_> = places.into_iter().map(|place| place.id).collect();
    Ok(app.settings.strictest(&places, &caller.origin).await?.passwords)
}

/// What is to be told of the caller's password.
///
/// # Errors
/// When the database fails.
pub async fn own(app: &App, caller: &Caller) -> Result<OwnPassword> {
    let id = signed_in(caller)?;
    let rules = rules_of(app, caller, id).await?;
    let since = accounts::password_since(&app.db.read(caller).await?, id).await?;
    Ok(OwnPassword { since, rules })
}

/// Changes the caller's password.
///
/// # Errors
/// As [`accounts::change_password`].
pub async fn change(app: &App, caller: &Caller, current: SecretString, new: SecretString) -> Result<()> {
    let rules = rules_of(app, caller, signed_in(caller)?).await?;
    accounts::change_password(app, caller, (current, new), &rules).await
}

/// What is to be said of a password that the caller may choose.
///
/// # Errors
/// `Upstream` when the hashing pool is busy.
pub async fn judge_own(app: &App, caller: &Caller, password: &SecretString) -> Result<Verdict> {
    let id = signed_in(caller)?;
    let account = accounts::get(&app.vault, &app.db.read(caller).await?, id).await?;
    let rules = rules_of(app, caller, id).await?;
    judge(app, password, Owner { email: address(&account.email)?, name: account.name, rules }).await
}

/// What is to be said of a password that somebody with a link may choose: of an invitation, a sign-up, the first setup,
/// or to a new password. Without one of them nobody gets to use the hashing pool.
///
/// # Errors
/// `NotFound` or `Conflict` for a link that is not valid, with its own code; `Upstream` when the hashing pool is busy.
pub async fn judge_by_link(app: &App, caller: &Caller, token: &SecretString, candidate: Candidate) -> Result<Verdict> {
    let name = candidate.name.unwrap_or_default();
    let owner = if token.expose().starts_with(resets::PREFIX) {
        let (reset, rules) = look_up_reset(app, caller, token).await?;
        Owner { email: address(&reset.account.email)?, name: reset.account.name, rules }
    } else if token.expose().starts_with(invitations::PREFIX) {
        let preview = invitations::lookup(app, caller, token).await?;
        Owner { email: address(&preview.email)?, name, rules: preview.password_rules }
    } else if token.expose().starts_with(sign_ups::PREFIX) {
        let preview = sign_ups::lookup(app, caller, token).await?;
        Owner { email: address(&preview.email)?, name, rules: preview.password_rules }
    } else {
        setup::expect_token(app, caller, token).await?;
        let rules = app.settings.platform(&caller.origin).await?.passwords;
        // Whoever sets up may not have said theirs yet.
        let email = candidate.email.map_or_else(|| address("nobody@example.com"), Ok)?;
        Owner { email, name, rules }
    };
    judge(app, &candidate.password, owner).await
}

async fn judge(app: &App, password: &SecretString, owner: Owner) -> Result<Verdict> {
    app.passwords.judge(password.expose(), &owner.email, &owner.name, &owner.rules).await
}

/// What a link to a new password is for, and what the new one must be.
///
/// # Errors
/// `NotFound` with `password_reset_not_valid`.
pub async fn look_up_reset(app: &App, caller: &Caller, token: &SecretString) -> Result<(resets::Reset, Rules)> {
    let reset = resets::lookup(app, caller, token).await?;
    let rules = rules_of(app, caller, reset.account.id).await?;
    Ok((reset, rules))
}

/// Chooses a new password with a link.
///
/// # Errors
/// As [`resets::complete`].
pub async fn complete_reset(app: &App, caller: &Caller, token: SecretString, password: SecretString) -> Result<()> {
    let (_, rules) = look_up_reset(app, caller, &token).await?;
    resets::complete(app, caller, (token, password), &rules).await
}

fn signed_in(caller: &Caller) -> Result<AccountId> {
    caller.account().ok_or(Error::Unauthenticated(Code::Unauthenticated))
}

fn address(text: &str) -> Result<Email> {
    text.parse().map_err(Error::internal)
}
