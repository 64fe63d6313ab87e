//! The record as events of the Open Cybersecurity Schema Framework, version 1.8.0, category Identity & Access Management:
//! what happens to accounts, sign-ins and sessions, roles, and teams has a class of its own; all else is management of an
//! entity. What the schema has no place for is in `unmapped`.

use serde_json::{Map, Value, json};

use super::Line;

/// The version of the schema.
const VERSION: &str = "1.8.0";
/// Identity & Access Management.
const CATEGORY: u32 = 3;
/// The activity that no number of its class says.
const OTHER: u32 = 99;

/// A class of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    AccountChange,
    Authentication,
    EntityManagement,
    UserAccess,
    GroupManagement,
}

impl Class {
    const fn uid(self) -> u32 {
        match self {
            Self::AccountChange => 3001,
            Self::Authentication => 3002,
            Self::EntityManagement => 3004,
            Self::UserAccess => 3005,
            Self::GroupManagement => 3006,
        }
    }

    const fn caption(self) -> &'static str {
        match self {
            Self::AccountChange => "Account Change",
            Self::Authentication => "Authentication",
            Self::EntityManagement => "Entity Management",
            Self::UserAccess => "User Access Management",
            Self::GroupManagement => "Group Management",
        }
    }
}

/// The class and the activity of an event's code, and what the schema calls that.
fn classified(code: &str) -> (Class, u32, Option<&'static str>) {
    use Class::{AccountChange, Authentication, EntityManagement, GroupManagement, UserAccess};
    match code {
        "account.created" | "sign_up.completed" => (AccountChange, 1, Some("Create")),
        "account.unblocked" => (AccountChange, 2, Some("Enable")),
        "password.changed" => (AccountChange, 3, Some("Password Change")),
        "password.reset_requested" | "password.reset_completed" | "password.reset_refused" => {
            (AccountChange, 4, Some("Password Reset"))
        }
        "account.blocked" => (AccountChange, 5, Some("Disable")),
        "account.erased" => (AccountChange, 6, Some("Delete")),
        "account.locked" => (AccountChange, 9, Some("Lock")),
        "account.unlocked" | "account.lock_ended" => (AccountChange, 12, Some("Unlock")),
        "session.created" | "session.failed" => (Authentication, 1, Some("Logon")),
        "session.ended"
        | "session.ended_all"
        | "account.sessions_ended"
        | "member.session_ended"
        | "member.sessions_ended"
        | "token.revoked" => (Authentication, 2, Some("Logoff")),
        "session.reauthenticated"
        | "session.reauthentication_failed"
        | "session.refresh_token_reused"
        | "session.refresh_token_misplaced"
        | "organization.entered" => (Authentication, OTHER, None),
        "member.added" | "member.unblocked" => (UserAccess, 1, Some("Assign Privileges")),
        "member.removed" | "member.blocked" => (UserAccess, 2, Some("Revoke Privileges")),
        "member.role_changed" | "member.custom_roles_changed" | "member.change_refused" => (UserAccess, OTHER, None),
        "team.member_added" => (GroupManagement, 3, Some("Add User")),
        "team.member_removed" => (GroupManagement, 4, Some("Remove User")),
        "team.deleted" => (GroupManagement, 5, Some("Delete")),
        "team.created" => (GroupManagement, 6, Some("Create")),
        "team.updated" | "team.change_refused" => (GroupManagement, OTHER, None),
        // An export has accounts as its content, and changes none.
        "account.exported" => (EntityManagement, 2, Some("Read")),
        _ if code.starts_with("account.") || code.starts_with("password.") => (AccountChange, OTHER, None),
        _ => {
            let (activity, caption) = managed(code.rsplit('.').next().unwrap_or_default());
            (EntityManagement, activity, caption)
        }
    }
}

/// What was done to an entity, by the verb of the event's code.
fn managed(verb: &str) -> (u32, Option<&'static str>) {
    match verb {
        "created" | "token_issued" | "received" | "started" | "requested" => (1, Some("Create")),
        "exported" | "exported_by_platform" => (2, Some("Read")),
        "updated" | "revised" | "attributes_updated" => (3, Some("Update")),
        "deleted" | "destroyed" | "purged" | "erased" | "cleaned_up" | "revoked" | "forgotten" | "forgotten_all" => {
            (4, Some("Delete"))
        }
        "enabled" | "restored" => (8, Some("Enable")),
        "disabled" | "distrusted" => (9, Some("Disable")),
        "activated" => (10, Some("Activate")),
        "retired" => (11, Some("Deactivate")),
        "paused" => (12, Some("Suspend")),
        "resumed" => (13, Some("Resume")),
        _ => (OTHER, None),
    }
}

/// An entry as an event.
pub(super) fn event(line: &Line) -> Value {
    let (row, personal) = (&line.entry.row, &line.entry.personal);
    let (class, activity, caption) = classified(&row.event);
    let details = line.details();
    let (status, status_id) = if row.outcome == "success" { ("Success", 1) } else { ("Failure", 2) };
    let mut event = Map::new();
    let mut set = |name: &str, value: Value| event.insert(name.to_owned(), value);
    set("activity_id", json!(activity));
    set("activity_name", json!(caption.unwrap_or(line.title())));
    set("category_uid", json!(CATEGORY));
    set("category_name", json!("Identity & Access Management"));
    set("class_uid", json!(class.uid()));
    set("class_name", json!(class.caption()));
    set("type_uid", json!(class.uid() * 100 + activity));
    let (severity_id, severity) = severity(&row.severity);
    set("severity_id", json!(severity_id));
    set("severity", json!(severity));
    set("status_id", json!(status_id));
    set("status", json!(status));
    let reason = ["reason", "code"].into_iter().find_map(|name| row.metadata.get(name)?.as_str());
    set("status_detail", json!(reason.unwrap_or(&row.outcome)));
    set("time", json!(row.occurred_at.timestamp_millis()));
    set("message", json!(line.title()));
    set("metadata", metadata(line));
    if let Some(actor) = actor(line) {
        set("actor", actor);
    }
    if let Some(address) = &personal.address {
        set("src_endpoint", json!({"ip": address}));
    }
    if row.request_id.is_some() || personal.user_agent.is_some() {
        let request = [("uid", &row.request_id), ("user_agent", &personal.user_agent)];
        let request = request.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?))));
        set("http_request", Value::Object(request.collect()));
    }
    let target = json!({"type": row.target_type, "id": row.target_id});
    set("unmapped", json!({"class": row.class, "outcome": row.outcome, "target": target, "metadata": details}));
    for (name, value) in of_class(class, line) {
        set(name, value);
    }
    Value::Object(event)
}

/// What only events of a class have.
fn of_class(class: Class, line: &Line) -> Vec<(&'static str, Value)> {
    let row = &line.entry.row;
    match class {
        Class::AccountChange => vec![("user", user(line))],
        Class::Authentication => {
            let session = row.target_id.filter(|_| row.target_type == "session");
            let session = session.map(|id| ("session", json!({"uid": id})));
            [("user", user(line)), ("service", json!({"name": "Freehold"}))].into_iter().chain(session).collect()
        }
        Class::UserAccess => vec![("user", user(line)), ("privileges", json!(privileges(&row.metadata)))],
        Class::GroupManagement => {
            // A refused change has no team yet.
            let uid = row.target_id.map_or_else(|| "none".to_owned(), |id| id.to_string());
            let mut all = vec![("group", json!({"uid": uid, "type": "team"}))];
            if row.metadata.get("account").is_some() {
                all.push(("user", user(line)));
            }
            all
        }
        Class::EntityManagement => {
            let name = row.metadata.get(&row.target_type).and_then(Value::as_str).unwrap_or(&row.target_type);
            let entity = match row.target_id {
                Some(id) => json!({"uid": id, "name": name, "type": row.target_type, "type_id": OTHER}),
                None => json!({"name": name, "type": row.target_type, "type_id": OTHER}),
            };
            vec![("entity", entity)]
        }
    }
}

/// Whom it happened to: the account that the entry names, or else whoever did it to themselves.
fn user(line: &Line) -> Value {
    let row = &line.entry.row;
    let named = row.metadata.get("account").and_then(Value::as_str).map(str::to_owned);
    let target = row.target_id.filter(|_| row.target_type == "account").map(|id| id.to_string());
    let actor = row.actor_id.filter(|_| row.target_type == "session").map(|id| id.to_string());
    let member = row.target_id.filter(|_| row.target_type == "member").map(|id| id.to_string());
    match (named.or(target).or(actor), member) {
        (Some(account), _) => json!({"uid": account, "type_id": 1, "type": "User"}),
        (None, Some(member)) => json!({"uid_alt": member, "name": member, "type_id": OTHER, "type": "member"}),
        (None, None) => json!({"name": "unknown", "type_id": 0, "type": "Unknown"}),
    }
}

/// The roles that an entry speaks of.
fn privileges(metadata: &Value) -> Vec<&str> {
    let roles = ["role", "to", "from", "added", "removed"].into_iter().filter_map(|name| metadata.get(name)?.as_str());
    roles.flat_map(|text| text.split(' ')).filter(|role| !role.is_empty()).collect()
}

fn metadata(line: &Line) -> Value {
    let row = &line.entry.row;
    let mut metadata = json!({
        "version": VERSION,
        "product": {"name": "Freehold", "vendor_name": "Freehold", "version": env!("CARGO_PKG_VERSION")},
        "uid": row.id,
        "event_code": row.event,
        "log_name": "audit",
        "tenant_uid": row.organization_id,
    });
    if let (Some(all), Some(request)) = (metadata.as_object_mut(), &row.request_id) {
        all.insert("correlation_uid".to_owned(), json!(request));
    }
    metadata
}

/// Who did it; nobody for those who had not signed in.
fn actor(line: &Line) -> Option<Value> {
    let row = &line.entry.row;
    let type_id = match row.actor_type.as_str() {
        "account" => 1,
        "service" => 4,
        "system" => return Some(json!({"app_name": "Freehold"})),
        _ => return None,
    };
    let mut user = json!({"uid": row.actor_id, "type_id": type_id});
    if let (Some(user), Some(name)) = (user.as_object_mut(), &line.who.name) {
        user.insert("name".to_owned(), json!(name));
    }
    Some(json!({"user": user}))
}

fn severity(word: &str) -> (u32, &'static str) {
    match word {
        "low" => (2, "Low"),
        "medium" => (3, "Medium"),
        "high" => (4, "High"),
        _ => (5, "Critical"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::{AuditEntryId, OrganizationId, audit_entries::Model};
    use uuid::Uuid;

    use super::*;
    use crate::audit::{Entry, Kind, Personal, export::Who};

    /// The classes as the schema's own server gives them (schema.ocsf.io, version 1.8.0, Apache-2.0), without profiles and
    /// descriptions, made into JSON Schema by ocsf-json-schema 1.2.0 of PyPI. It refuses what it does not know.
    const SCHEMA: &str = include_str!("../../../tests/it/record/ocsf-1.8.0.json");

    fn line(kind: Kind, (actor_type, outcome): (&str, &str), metadata: Value) -> Line {
        let target_id = (outcome != "failed").then(|| Uuid::from_u128(7));
        let row = Model {
            id: AuditEntryId(Uuid::from_u128(1)),
            organization_id: OrganizationId::PLATFORM,
            occurred_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            event: kind.code().to_owned(),
            severity: kind.severity().as_str().to_owned(),
            class: kind.class().as_str().to_owned(),
            outcome: outcome.to_owned(),
            actor_type: actor_type.to_owned(),
            actor_id: ["account", "service"].contains(&actor_type).then(|| Uuid::from_u128(2)),
            target_type: kind.target().to_owned(),
            target_id,
            request_id: Some("r-1".to_owned()),
            metadata,
            form: 1,
            origin_commitment: None,
            details_commitment: None,
        };
        let address = Some(if outcome == "failed" { "2001:db8::7" } else { "192.0.2.7" }.to_owned());
        let personal = Personal { address, user_agent: Some("agent".to_owned()), ..Personal::default() };
        Line { entry: Entry { row, personal }, who: Who { name: Some("Ada".to_owned()), erased: false } }
    }

    /// Proves AUD-3.
    #[test]
    fn every_event_is_valid_by_the_schema_of_its_class() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let validators: std::collections::HashMap<_, _> = schema["classes"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(uid, class)| {
                let mut class = class.clone();
                class["$defs"] = schema["$defs"].clone();
                (uid.clone(), jsonschema::validator_for(&class).unwrap())
            })
            .collect();
        let mut classes = std::collections::BTreeSet::new();
        for kind in Kind::ALL {
            for who in [("account", "success"), ("service", "refused"), ("anonymous", "failed"), ("system", "success")]
            {
                for metadata in
                    [json!({}), json!({"role": "admin", "account": Uuid::from_u128(9).to_string(), "from": null})]
                {
                    let event = event(&line(*kind, who, metadata));
                    let validator = &validators[&event["class_uid"].to_string()];
                    let faults: Vec<_> = validator.iter_errors(&event).map(|fault| fault.to_string()).collect();
                    assert!(faults.is_empty(), "{}: {faults:?}\n{event}", kind.code());
                    classes.insert(event["class_uid"].to_string());
                }
            }
        }
        assert_eq!(classes.len(), validators.len(), "a class is never used");
        // It is no validator that takes anything.
        let mut odd = event(&line(Kind::SessionCreated, ("account", "success"), json!({})));
        odd["colour"] = json!("red");
        assert!(!validators["3002"].is_valid(&odd));
        odd.as_object_mut().unwrap().retain(|name, _| name != "colour" && name != "user");
        assert!(!validators["3002"].is_valid(&odd));
    }

    /// Proves AUD-3.
    #[test]
    fn what_an_event_is_follows_from_its_code_and_not_from_luck() {
        let named = |code| classified(code).2;
        for kind in Kind::ALL {
            let (class, activity, caption) = classified(kind.code());
            assert_eq!(caption.is_none(), activity == OTHER, "{}", kind.code());
            // A class whose user the entry never names would say nothing.
            let of_people = ["account", "session", "member", "team", "known_device", "trusted_device", "passkey"]
                .contains(&kind.target());
            assert!(class == Class::EntityManagement || of_people, "{} is of {class:?}", kind.code());
        }
        assert_eq!(named("session.created"), Some("Logon"));
        assert_eq!(named("api_key.revoked"), Some("Delete"));
        assert_eq!(named("member.role_changed"), None);
        // Every code that is named above is one of the catalogue's.
        let source = include_str!("ocsf.rs");
        let body = source.split("fn classified").nth(1).unwrap().split("fn managed").next().unwrap();
        for code in body
            .split('"')
            .filter(|text| text.contains('.') && text.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c)))
        {
            assert!(Kind::find(code).is_some() || code.ends_with('.'), "{code} is no event");
        }
    }
}
