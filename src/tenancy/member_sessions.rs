//! The sessions that are in an organisation, as its administrators see and end them (SES-5).
//!
//! A session is in one organisation at a time. While it is in this one, it is the membership's, and whoever ends it ends it
//! wholly; while it is somewhere else, there is no such session here (AZ-12).

use entity::{MembershipId, OrganizationId, SessionId, memberships, organizations as orgs};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{members, roles};
use crate::{
    accounts,
    app::App,
    audit::{Event, Kind},
    db::WriteTx,
    error::{Error, Result},
    sessions::{self, Own, Session, Whose},
    types::{Caller, Page, PageRequest},
};

/// The sessions of a member that are in the caller's organisation, newest first. Where somebody is, is the person's: the
/// address is only with those of accounts that the organisation manages.
///
/// # Errors
/// `NotFound`.
pub async fn list(app: &App, caller: &Caller, id: MembershipId, page: PageRequest) -> Result<Page<Session>> {
    let tx = app.db.read(caller).await?;
    let member = members::row(&tx, id).await?;
    let account = accounts::get(&app.vault, &tx, member.account_id).await?;
    let page = sessions::of_account(&tx, account.id, Some(member.organization_id), page).await?;
    let managed = account.managed_by == Some(member.organization_id);
    Ok(page.map(|session| if managed { session } else { Session { address: None, ..session } }))
}

/// Ends one session of a member that is in the caller's organisation.
///
/// # Errors
/// `NotFound`, also for a session that is somewhere else; `Forbidden` with `role_above_own`, which is recorded.
pub async fn end(app: &App, caller: &Caller, id: MembershipId, session: SessionId) -> Result<()> {
    let (tx, member) = reach(app, caller, id).await?;
    sessions::end_one_of(&tx, member.account_id, session, Some(member.organization_id)).await?;
    let here = Event::new(Kind::MemberSessionEnded, session).with("account", member.account_id.to_string());
    let ended = Event::new(Kind::SessionEnded, session).about(member.account_id);
    tx.commit(vec![here, ended.with("reason", "ended_by_administrator")]).await?;
    app.sessions.forget(member.account_id);
    Ok(())
}

/// Ends all sessions of a member that are in the caller's organisation.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded.
pub async fn end_all(app: &App, caller: &Caller, id: MembershipId) -> Result<()> {
    let (tx, member) = reach(app, caller, id).await?;
    let ended = sessions::end_all_within(&tx, member.account_id, member.organization_id).await?;
    let here = Event::new(Kind::MemberSessionsEnded, id).with("account", member.account_id.to_string());
    let events = vec![
        here.with("sessions", ended),
        Event::new(Kind::AccountSessionsEnded, member.account_id)
            .with("sessions", ended)
            .with("organization", member.organization_id.to_string()),
    ];
    tx.commit(events).await?;
    app.sessions.forget(member.account_id);
    Ok(())
}

/// Ends all sessions that are in the caller's organisation. Returns how many there were.
///
/// # Errors
/// `Forbidden` when the caller has lost the right to meanwhile.
pub async fn end_everybodys(app: &App, caller: &Caller, own: Own) -> Result<u64> {
    let organization = caller.organization().ok_or_else(Error::not_found)?;
    let tx = app.db.write(caller).await?;
    members::still(app, &tx).await?;
    let ended = sessions::end_begun(&tx, Whose::OwnOrganizations(organization), own).await?;
    tx.commit(ended_together(organization, ended, own)).await?;
    app.sessions.forget_all();
    Ok(ended)
}

/// Ends all sessions that are in an organisation, by the platform. Returns how many there were.
///
/// # Errors
/// `NotFound` when there is no such organisation.
pub async fn end_of(app: &App, caller: &Caller, organization: OrganizationId, own: Own) -> Result<u64> {
    let tx = app.db.write(caller).await?;
    let row = tx.find::<orgs::Entity>().filter(orgs::Column::Id.eq(organization));
    tx.one(row).await?.ok_or_else(Error::not_found)?;
    let ended = sessions::end_begun(&tx, Whose::Organizations(organization), own).await?;
    let event = ended_together(organization, ended, own);
    let homes = match organization {
        OrganizationId::PLATFORM => vec![organization],
        _ => vec![organization, OrganizationId::PLATFORM],
    };
    tx.commit(homes.into_iter().map(|home| event.clone().in_organization(home)).collect::<Vec<_>>()).await?;
    app.sessions.forget_all();
    Ok(ended)
}

fn ended_together(organization: OrganizationId, ended: u64, own: Own) -> Event {
    let event = Event::new(Kind::OrganizationSessionsEnded, organization);
    event.with("sessions", ended).with("own_kept", own == Own::Kept)
}

/// A transaction that may end the sessions of a member who is not above the caller, as things are now.
async fn reach(app: &App, caller: &Caller, id: MembershipId) -> Result<(WriteTx, memberships::Model)> {
    let tx = app.db.write(caller).await?;
    members::still(app, &tx).await?;
    let member = members::row(&tx, id).await?;
    let theirs = members::held(app, &tx, &member).await?;
    let own = caller.membership == Some(id);
    match roles::may_grant_all(&app.policy, caller, &theirs) {
        Err(refusal) if !own => {
            let event = Event::new(Kind::MemberChangeRefused, id).with("code", refusal.code().as_str());
            tx.commit_refused(event.refused(), refusal).await
        }
        _ => Ok((tx, member)),
    }
}
