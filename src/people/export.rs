//! People on their way out, as a file that an import takes again. Read and written page by page, however many there are.
//!
//! That somebody got a file, and how many people are in it, is in the record before its first line leaves.

use std::collections::HashMap;

use bytes::Bytes;
use entity::{AccountId, MembershipId, OrganizationId, accounts::State, imports::Format, memberships::Status};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use serde_json::json;
use uuid::Uuid;

use super::record;
use crate::{
    accounts,
    app::App,
    audit::{Event, Kind},
    db::Tx,
    error::{Error, Result},
    runtime::Timestamp,
    tenancy::seats,
    types::{Caller, cell},
};

/// How many people are read at once.
const PAGE: u64 = 500;

/// A file of people.
pub struct Exported {
    /// How many people were there when it began.
    pub rows: u64,
    /// Its bytes. What goes wrong on the way breaks it off.
    pub file: BoxStream<'static, Result<Bytes>>,
}

/// Of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    /// Everybody with an account.
    Accounts,
    /// The members of the caller's organisation.
    Members,
}

/// Whether the hashes of passwords go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hashes {
    /// They stay.
    Stay,
    /// They go, which is for the command line alone.
    Go,
}

/// What is wanted of an export.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub whom: Whom,
    pub format: Format,
    pub hashes: Hashes,
}

/// A person of a file.
struct Row {
    id: Uuid,
    account: AccountId,
    email: String,
    name: String,
    role: Option<String>,
    custom_roles: Vec<String>,
    teams: Vec<String>,
    blocked: bool,
    since: Timestamp,
    last_sign_in_at: Option<Timestamp>,
    password_hash: Option<String>,
}

/// Everybody with an account, without the hashes of their passwords.
///
/// # Errors
/// When the database fails.
pub async fn accounts(app: &App, caller: &Caller, format: Format) -> Result<Exported> {
    begin(app, caller, Wanted { whom: Whom::Accounts, format, hashes: Hashes::Stay }).await
}

/// The members of the caller's organisation.
///
/// # Errors
/// When the database fails.
pub async fn members(app: &App, caller: &Caller, format: Format) -> Result<Exported> {
    begin(app, caller, Wanted { whom: Whom::Members, format, hashes: Hashes::Stay }).await
}

/// Counts and records an export, and gives its file.
pub(super) async fn begin(app: &App, caller: &Caller, wanted: Wanted) -> Result<Exported> {
    // Ids are ordered by time: who comes after this one is not in the file.
    let end: Uuid = app.ids.next();
    let tx = app.db.write(caller).await?;
    let (rows, kind) = match wanted.whom {
        Whom::Accounts => (accounts::count(&tx, AccountId(end)).await?, Kind::AccountsExported),
        Whom::Members => (seats::count(&tx, MembershipId(end)).await?, Kind::MembersExported),
    };
    let of = caller.organization().unwrap_or(OrganizationId::PLATFORM);
    let event = Event::new(kind, of).with("rows", rows).with("password_hashes", wanted.hashes == Hashes::Go);
    tx.commit(event).await?;
    let (app, caller) = (app.clone(), caller.clone());
    let head = stream::iter(wanted.head().map(Ok));
    let pages = stream::try_unfold(None, move |after| {
        let (app, caller) = (app.clone(), caller.clone());
        async move {
            let tx = app.db.read(&caller).await?;
            let rows = page(&app, &tx, wanted, (after, end)).await?;
            let Some(last) = rows.last().map(|row| row.id) else { return Ok::<_, Error>(None) };
            Ok(Some((wanted.write(&rows)?, Some(last))))
        }
    });
    Ok(Exported { rows, file: head.chain(pages).boxed() })
}

async fn page(app: &App, tx: &Tx, wanted: Wanted, (after, end): (Option<Uuid>, Uuid)) -> Result<Vec<Row>> {
    let mut rows = match wanted.whom {
        Whom::Accounts => {
            let found = accounts::kept_after(&app.vault, tx, (after.map(AccountId), AccountId(end)), PAGE).await?;
            found.into_iter().map(Row::of_account).collect::<Vec<_>>()
        }
        Whom::Members => {
            let found = seats::after(app, tx, (after.map(MembershipId), MembershipId(end)), PAGE).await?;
            let row = |member: crate::tenancy::members::Member| Row {
                id: member.membership.id.into(),
                role: Some(member.membership.role),
                custom_roles: direct(member.custom_roles),
                teams: member.teams.into_iter().map(|team| team.name).collect(),
                blocked: member.membership.status == Status::Blocked,
                since: member.membership.joined_at,
                ..Row::of_account(member.account)
            };
            found.into_iter().map(row).collect()
        }
    };
    if wanted.hashes == Hashes::Go {
        let mut hashes: HashMap<_, _> = accounts::hashes(tx, rows.iter().map(|row| row.account)).await?;
        for row in &mut rows {
            row.password_hash = hashes.remove(&row.account);
        }
    }
    Ok(rows)
}

/// The names of those custom roles that no team gives.
fn direct(given: Vec<crate::tenancy::custom_roles::Given>) -> Vec<String> {
    given.into_iter().filter(|given| given.team.is_none()).map(|given| given.role.name).collect()
}

impl Row {
    fn of_account(account: accounts::Account) -> Self {
        Self {
            id: account.id.into(),
            account: account.id,
            email: account.email,
            name: account.name,
            role: None,
            custom_roles: Vec::new(),
            teams: Vec::new(),
            blocked: account.state == State::Blocked,
            since: account.created_at,
            last_sign_in_at: account.last_sign_in_at,
            password_hash: None,
        }
    }

    fn state(&self) -> &'static str {
        if self.blocked { "blocked" } else { "active" }
    }
}

impl Wanted {
    /// The names of the columns, in their order.
    fn columns(self) -> Vec<&'static str> {
        let of_members = ["email", "name", "role", "custom_roles", "teams", "state", "joined_at", "last_sign_in_at"];
        let mut columns = match self.whom {
            Whom::Members => of_members.to_vec(),
            Whom::Accounts => vec!["email", "name", "state", "created_at", "last_sign_in_at"],
        };
        if self.hashes == Hashes::Go {
            columns.push("password_hash");
        }
        columns
    }

    /// What comes before the people.
    fn head(self) -> Option<Bytes> {
        (self.format == Format::Csv).then(|| Bytes::from(format!("{}\r\n", self.columns().join(","))))
    }

    fn write(self, rows: &[Row]) -> Result<Bytes> {
        let columns = self.columns();
        match self.format {
            Format::Csv => {
                let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
                for row in rows {
                    let cells = columns.iter().map(|column| row.text(column));
                    let cells: Vec<String> = cells.map(|text| cell(&text).into_owned()).collect();
                    writer.write_record(&cells).map_err(Error::internal)?;
                }
                Ok(Bytes::from(writer.into_inner().map_err(Error::internal)?))
            }
            Format::JsonLines => {
                let mut text = String::new();
                for row in rows {
                    let fields = columns.iter().filter_map(|column| Some(((*column).to_owned(), row.value(column)?)));
                    let object = serde_json::Value::Object(fields.collect());
                    text.push_str(&object.to_string());
                    text.push('\n');
                }
                Ok(Bytes::from(text))
            }
        }
    }
}

/// A time as the API writes it (RFC 3339).
fn time(moment: Timestamp) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

impl Row {
    /// What is in a cell of a CSV file.
    fn text(&self, column: &str) -> String {
        match column {
            "custom_roles" => record::join(self.custom_roles.iter().map(String::as_str)),
            "teams" => record::join(self.teams.iter().map(String::as_str)),
            column => self.value(column).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default(),
        }
    }

    /// What is in a field of a line of JSON; nothing for one that is left out.
    fn value(&self, column: &str) -> Option<serde_json::Value> {
        match column {
            "email" => Some(json!(self.email)),
            "name" => Some(json!(self.name)),
            "role" => self.role.as_ref().map(|role| json!(role)),
            "custom_roles" => Some(json!(self.custom_roles)),
            "teams" => Some(json!(self.teams)),
            "state" => Some(json!(self.state())),
            "joined_at" | "created_at" => Some(json!(time(self.since))),
            "last_sign_in_at" => self.last_sign_in_at.map(|moment| json!(time(moment))),
            "password_hash" => self.password_hash.as_ref().map(|hash| json!(hash)),
            _ => None,
        }
    }
}
