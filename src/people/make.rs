//! What lines make: accounts, members or invitations, each by the rules of whoever owns those.

use std::collections::{HashMap, HashSet};

use entity::{AccountId, accounts::State, import_lines as lines, imports::Kind, memberships::Status};

use super::{
    record::{Record, Refusal},
    work::Outcome,
};
use crate::{
    accounts::{self, NewPerson},
    app::App,
    audit::Event,
    db::WriteTx,
    error::{Code, Error, Place, Result},
    settings::sections::Invitations as Rules,
    tenancy::{
        custom_roles::Row as CustomRole,
        invitations::{Bulk, NewInvitation},
        seats::{self, Names, NewSeat},
        teams::Row as Team,
    },
    types::{Email, Role, nfc, single_line},
};

/// A line to be made, with its number and what tells its address from others.
type Wanted = (i64, Vec<u8>, Record);
/// What became of lines, and what belongs into the record besides what is there.
type Made = (Vec<Outcome>, Vec<Event>);

/// The role of who is given none.
const PLAIN: &str = "member";

/// Makes what lines say, in the transaction that notes how far the import is.
///
/// # Errors
/// When the database fails; `NotFound` when the organisation is gone. What stands against a line is its outcome.
pub(super) async fn make(
    app: &App,
    tx: &WriteTx,
    kind: Kind,
    wanted: Vec<Wanted>,
    seen: &mut HashSet<Vec<u8>>,
) -> Result<Made> {
    match kind {
        Kind::Accounts => make_accounts(app, tx, wanted, seen).await,
        Kind::Members => make_members(app, tx, wanted, seen).await,
        Kind::Invitations => make_invitations(app, tx, wanted, seen).await,
    }
}

fn made((line, fingerprint): (i64, Vec<u8>)) -> Outcome {
    Outcome { line, outcome: lines::Outcome::Made, why: None, fingerprint: Some(fingerprint) }
}

fn skipped((line, fingerprint): (i64, Option<Vec<u8>>), code: &'static str) -> Outcome {
    Outcome { line, outcome: lines::Outcome::Skipped, why: Some(Refusal::field(code, "email")), fingerprint }
}

/// Whether an address was in a line before. One that was refused does not count.
fn twice(seen: &mut HashSet<Vec<u8>>, fingerprint: &[u8]) -> bool {
    !seen.insert(fingerprint.to_vec())
}

/// How a person is called: as the line says, or as their address begins.
fn called(record: &Record) -> Result<String, Refusal> {
    let local = record.email.as_str().rsplit_once('@').map_or("", |(local, _)| local);
    let name = record.name.clone().or_else(|| single_line(local, accounts::LONGEST_NAME));
    name.ok_or(Refusal::field("required", "name"))
}

fn person(record: Record, name: String, state: State) -> NewPerson {
    NewPerson { email: record.email, name, password_hash: record.password_hash, state }
}

async fn make_accounts(app: &App, tx: &WriteTx, wanted: Vec<Wanted>, seen: &mut HashSet<Vec<u8>>) -> Result<Made> {
    let known = accounts::with_addresses(&app.vault, tx, wanted.iter().map(|(_, _, record)| &record.email)).await?;
    let (mut outcomes, mut people) = (Vec::new(), Vec::new());
    for (line, fingerprint, record) in wanted {
        let name = match called(&record) {
            _ if record.role.is_some() => Err(Refusal::field("not_in_an_organization", "role")),
            _ if !record.teams.is_empty() => Err(Refusal::field("not_in_an_organization", "teams")),
            _ if !record.custom_roles.is_empty() => Err(Refusal::field("not_in_an_organization", "custom_roles")),
            name => name,
        };
        outcomes.push(match name {
            Err(why) => Outcome::refused(line, why),
            Ok(_) if twice(seen, &fingerprint) => skipped((line, None), "duplicate"),
            Ok(_) if known.contains_key(&record.email) => skipped((line, Some(fingerprint)), "account_exists"),
            Ok(name) => {
                let state = if record.blocked { State::Blocked } else { State::Active };
                people.push(person(record, name, state));
                made((line, fingerprint))
            }
        });
    }
    accounts::create_all(tx, app, people).await?;
    Ok((outcomes, Vec::new()))
}

/// The role, the custom roles and the teams that a line gives to a member.
fn place(
    app: &App,
    names: &Names,
    rules: &Rules,
    record: &Record,
) -> Result<(Role, Vec<CustomRole>, Vec<Team>), Refusal> {
    rules.admit(&record.email).map_err(|_| Refusal::field(Code::DomainNotAllowed.as_str(), "email"))?;
    let role = app.policy.hierarchy().assignable(record.role.as_deref().unwrap_or(PLAIN));
    let role = role.ok_or(Refusal::field("unknown_role", "role"))?;
    Ok((role, custom_roles(names, record)?, teams(names, record)?))
}

/// The teams that a line names.
fn teams(names: &Names, record: &Record) -> Result<Vec<Team>, Refusal> {
    named(&names.teams, &record.teams).ok_or(Refusal::field("unknown_team", "teams"))
}

/// The custom roles that a line names.
fn custom_roles(names: &Names, record: &Record) -> Result<Vec<CustomRole>, Refusal> {
    named(&names.custom_roles, &record.custom_roles).ok_or(Refusal::field("unknown_custom_role", "custom_roles"))
}

/// What these names name, each once; `None` when one of them names nothing.
fn named<T: Clone + PartialEq>(known: &HashMap<String, T>, names: &[String]) -> Option<Vec<T>> {
    let mut found: Vec<T> = Vec::new();
    for name in names {
        let thing = known.get(&nfc(name).to_lowercase())?;
        if !found.contains(thing) {
            found.push(thing.clone());
        }
    }
    Some(found)
}

async fn make_members(app: &App, tx: &WriteTx, wanted: Vec<Wanted>, seen: &mut HashSet<Vec<u8>>) -> Result<Made> {
    seats::settle(tx).await?;
    let known = accounts::with_addresses(&app.vault, tx, wanted.iter().map(|(_, _, record)| &record.email)).await?;
    let members = seats::among(tx, known.values().copied()).await?;
    let (names, settings) = (seats::names(tx).await?, app.settings.effective_in(tx).await?);
    let (mut outcomes, mut people, mut new, mut old) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (line, fingerprint, record) in wanted {
        let place = place(app, &names, &settings.invitations, &record).and_then(|place| Ok((place, called(&record)?)));
        let account: Option<AccountId> = known.get(&record.email).copied();
        outcomes.push(match place {
            Err(why) => Outcome::refused(line, why),
            Ok(_) if twice(seen, &fingerprint) => skipped((line, None), "duplicate"),
            Ok(_) if account.is_some_and(|account| members.contains(&account)) => {
                skipped((line, Some(fingerprint)), Code::AlreadyMember.as_str())
            }
            Ok(((role, custom_roles, teams), name)) => {
                let status = if record.blocked { Status::Blocked } else { Status::Active };
                let seat = |account| NewSeat { account, role, status, custom_roles, teams };
                match account {
                    // An account that is there keeps its name and its password.
                    Some(account) => old.push(seat(account)),
                    None => {
                        people.push(person(record, name, State::Active));
                        new.push(seat(AccountId(uuid::Uuid::nil())));
                    }
                }
                made((line, fingerprint))
            }
        });
    }
    let ids = accounts::create_all(tx, app, people).await?;
    let new = new.into_iter().zip(ids).map(|(seat, account)| NewSeat { account, ..seat });
    seats::add_all(app, tx, old.into_iter().chain(new).collect()).await?;
    Ok((outcomes, Vec::new()))
}

async fn make_invitations(app: &App, tx: &WriteTx, wanted: Vec<Wanted>, seen: &mut HashSet<Vec<u8>>) -> Result<Made> {
    let mut bulk = Bulk::begin(app, tx).await?;
    let names = seats::names(tx).await?;
    let mut outcomes = Vec::new();
    for (line, fingerprint, record) in wanted {
        let new = match invitation(&names, &record) {
            Ok(_) if seen.contains(&fingerprint) => {
                outcomes.push(skipped((line, None), "duplicate"));
                continue;
            }
            Ok(new) => new,
            Err(why) => {
                outcomes.push(Outcome::refused(line, why));
                continue;
            }
        };
        outcomes.push(match bulk.invite(app, tx, new).await {
            Ok(()) => {
                seen.insert(fingerprint.clone());
                made((line, fingerprint))
            }
            Err(failure @ (Error::Internal(_) | Error::Upstream { .. } | Error::NotFound(_))) => return Err(failure),
            Err(Error::Conflict(code @ (Code::AlreadyMember | Code::AlreadyInvited))) => {
                seen.insert(fingerprint.clone());
                skipped((line, Some(fingerprint)), code.as_str())
            }
            Err(refusal) => Outcome::refused(line, why(&refusal)),
        });
    }
    Ok((outcomes, bulk.events()))
}

/// What a line of an organisation's administrator asks for. A hash would be a way into somebody else's account, and
/// access is not taken from who has none yet.
fn invitation(names: &Names, record: &Record) -> Result<NewInvitation, Refusal> {
    if record.password_hash.is_some() {
        return Err(Refusal::field("hash_not_allowed", "password_hash"));
    }
    if record.blocked {
        return Err(Refusal::field("state_not_allowed", "state"));
    }
    let teams = teams(names, record)?.into_iter().map(|team| team.id).collect();
    let custom_roles = custom_roles(names, record)?.into_iter().map(|role| role.id).collect();
    let role = record.role.clone().unwrap_or_else(|| PLAIN.to_owned());
    let email: Email = record.email.clone();
    Ok(NewInvitation { email, role, custom_roles, teams, message: None })
}

/// A refusal as a line's report has it.
fn why(refusal: &Error) -> Refusal {
    let fault = match refusal {
        Error::Invalid(faults) => faults.first(),
        _ => None,
    };
    match (fault, refusal.code()) {
        (Some(fault), _) => match &fault.place {
            Place::Body(pointer) if pointer.starts_with("/role") => Refusal::field(fault.code, "role"),
            Place::Body(pointer) if pointer.starts_with("/custom_role_ids") => {
                Refusal::field(fault.code, "custom_roles")
            }
            Place::Body(pointer) if pointer.starts_with("/team_ids") => Refusal::field(fault.code, "teams"),
            _ => Refusal::line(fault.code),
        },
        (None, code @ Code::DomainNotAllowed) => Refusal::field(code.as_str(), "email"),
        (None, code @ Code::RoleAboveOwn) => Refusal::field(code.as_str(), "role"),
        (None, code) => Refusal::line(code.as_str()),
    }
}
