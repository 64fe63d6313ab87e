//! The export as tables for a spreadsheet (RFC 4180): one of the operations, one of the holders. No cell is a formula.

use serde_json::Value;

use super::{history::moment, holders::Holder, map::Read};
use crate::{
    error::{Error, Result},
    types::cell,
};

/// What is said of an operation, in this order; a column for each role's decision comes after.
const OPERATION: [&str; 15] = [
    "operation",
    "method",
    "path",
    "scope",
    "resource",
    "action",
    "minimum_role",
    "ownership",
    "own_role",
    "mfa",
    "reauthentication",
    "limit",
    "audit_event",
    "sensitive",
    "protocol",
];

/// What is said of a role that somebody holds.
const HOLDER: [&str; 19] = [
    "organization_id",
    "type",
    "id",
    "account_id",
    "name",
    "email",
    "status",
    "role",
    "via",
    "team_id",
    "team",
    "since",
    "before_history",
    "by",
    "effective_roles",
    "last_sign_in_at",
    "custom_role_id",
    "custom_role",
    "second_factors",
];

/// The operations, one a line.
///
/// # Errors
/// Never in practice: it is written into memory.
pub(super) fn operations(map: &Read) -> Result<String> {
    let roles: Vec<&str> = map.roles.iter().filter_map(|role| role.get("name")?.as_str()).collect();
    let mut lines = vec![OPERATION.into_iter().chain(roles.iter().copied()).map(str::to_owned).collect::<Vec<_>>()];
    for operation in &map.operations {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let said = OPERATION.iter().map(|name| text(operation.get(*name)));
        let decided = roles.iter().map(|role| text(operation.get("decisions").and_then(|all| all.get(*role))));
        lines.push(said.chain(decided).collect());
    }
    write(&lines)
}

/// The holders, one line for each role that they hold.
///
/// # Errors
/// Never in practice: it is written into memory.
pub(super) fn holders(holders: &[Holder]) -> Result<String> {
    let mut lines = vec![HOLDER.map(str::to_owned).to_vec()];
    for holder in holders {
        let person = holder.person.clone().unwrap_or_default();
        let text = |value: Option<String>| value.unwrap_or_default();
        let roles = holder.grants.iter().map(|grant| {
            (grant.role.clone(), (String::new(), String::new()), &grant.team, (grant.since, grant.known, &grant.by))
        });
        let custom = holder.custom.iter().map(|grant| {
            let named = (grant.id.to_string(), grant.name.clone());
            (String::new(), named, &grant.team, (grant.since, grant.known, &grant.by))
        });
        for (role, (custom_id, custom), team, (since, known, by)) in roles.chain(custom) {
            let (team_id, team) = team.clone().map_or((None, None), |(id, name)| (Some(id), name));
            lines.push(vec![
                holder.organization.to_string(),
                holder.kind.as_str().to_owned(),
                holder.id.to_string(),
                text(holder.account.map(|id| id.to_string())),
                if person.erased { "(erased)".to_owned() } else { text(holder.name().map(str::to_owned)) },
                text(person.email.clone()),
                holder.status.clone(),
                role,
                if team_id.is_some() { "team" } else { "direct" }.to_owned(),
                text(team_id.map(|id| id.to_string())),
                text(team),
                moment(since),
                if known { "yes" } else { "no" }.to_owned(),
                by.id.map_or_else(|| by.kind.clone(), |id| format!("{} {id}", by.kind)),
                holder.effective.join(" "),
                text(person.last_sign_in_at.map(moment)),
                custom_id,
                custom,
                person.second_factors.as_ref().map_or_else(String::new, |factors| match factors.as_slice() {
                    [] => "none".to_owned(),
                    some => some.join(" "),
                }),
            ]);
        }
    }
    write(&lines)
}

fn write(lines: &[Vec<String>]) -> Result<String> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for line in lines {
        let cells: Vec<_> = line.iter().map(|text| cell(text).into_owned()).collect();
        writer.write_record(&cells).map_err(Error::internal)?;
    }
    String::from_utf8(writer.into_inner().map_err(Error::internal)?).map_err(Error::internal)
}
