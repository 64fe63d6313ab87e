//! The record as a file: the same entries in every format, each by its own grammar, and a last line that proves it whole.

use std::collections::BTreeSet;

use freehold::types::of_cell;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::cef;
use crate::{
    harness::{Login, PASSWORD},
    path::PLATFORM,
    world::World,
};

/// What a client may call itself: a formula, a pipe, an equals sign, backslashes, quotes and commas.
const AGENT: &str = "=HYPERLINK(\"https://evil.example\",\"a\")|x=y\\n \\";

/// A line that ends a whole file, and what is before it.
fn ended(text: &str) -> (&str, &str) {
    let at = text.trim_end().rfind('\n').unwrap() + 1;
    text.split_at(at)
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Proves AUD-3.
#[tokio::test]
async fn a_file_of_lines_has_what_the_list_has_and_proves_that_it_is_whole() {
    let world = World::open().await;
    let a = &world.a;
    let record = format!("/v1/organizations/{}/audit", a.id);
    let odd = a.admin.using(AGENT);
    odd.patch(&format!("/v1/organizations/{}", a.id), json!({"name": "Renamed"})).await.expect(200);
    for query in ["", "severity=medium", "min_severity=medium", "class=normal&outcome=success", "text=member"] {
        let listed = a.auditor.get(&format!("{record}?limit=200&{query}")).await.expect(200);
        let file = a.auditor.get(&format!("{record}/export?format=jsonl&{query}")).await.expect(200);
        assert!(file.header("content-disposition").starts_with("attachment; filename=\"audit-"), "{file}");
        assert_eq!(file.header("content-type"), "application/octet-stream");
        let (before, last) = ended(&file.text);
        let lines: Vec<Value> = before.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(!lines.is_empty(), "{query}");
        assert_eq!(lines, listed.items(), "{query}");
        let last: Value = serde_json::from_str(last).unwrap();
        assert_eq!((&last["event"], &last["outcome"]), (&json!("audit.export_ended"), &json!("success")));
        assert_eq!(last["metadata"]["entries"], lines.len());
        assert_eq!(last["metadata"]["sha256"], sha256(before));
        assert_eq!(last["metadata"]["reason"], "complete");
        // It is in the record as it is in the file, and so is the beginning.
        let id = last["id"].as_str().unwrap();
        assert_eq!(a.auditor.get(&format!("{record}/{id}")).await.expect(200).json, last);
        let target = last["target"]["id"].as_str().unwrap();
        let both = a.auditor.get(&format!("{record}?target_id={target}")).await.expect(200);
        let events: Vec<_> = both.items().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["audit.export_ended", "audit.exported"]);
        assert_eq!(both.items()[1]["metadata"]["format"], "jsonl");
    }
    let faulty = a.auditor.get(&format!("{record}/export?format=xml")).await.expect(422);
    assert_eq!(faulty.faults(), ["format"]);
    assert_eq!(a.auditor.get(&format!("{record}/export?text=%25")).await.expect(422).faults(), ["text"]);
    world.close().await;
}

/// Proves AUD-3, AUD-2.
#[tokio::test]
async fn what_was_asked_for_is_recorded_and_its_words_are_sealed() {
    let world = World::open().await;
    let a = &world.a;
    let record = format!("/v1/organizations/{}/audit", a.id);
    let asked = "severity=low&actor_id=00000000-0000-7000-8000-000000000001&text=xanthippe";
    let file = a.auditor.get(&format!("{record}/export?format=csv&{asked}")).await.expect(200);
    let begun = a.auditor.get(&format!("{record}?event=audit.exported")).await.expect(200);
    let entry = &begun.items()[0];
    assert_eq!(entry["request_id"], file.header("x-request-id"));
    let filters = json!({"severity": "low", "actor_id": "00000000-0000-7000-8000-000000000001"});
    assert_eq!(entry["metadata"], json!({"format": "csv", "filters": filters, "text": "xanthippe"}));
    let mut psql = world.database.psql(Login::Owner).await;
    let rows = json!(psql.rows("SELECT * FROM audit_entries").await).to_string();
    assert!(!rows.contains("xanthippe"));
    world.close().await;
}

/// Proves AUD-3, NET-14.
#[tokio::test]
async fn a_table_has_no_formula_and_loses_nothing() {
    let world = World::open().await;
    let a = &world.a;
    let record = format!("/v1/organizations/{}/audit", a.id);
    let odd = a.admin.using(AGENT);
    odd.patch(&format!("/v1/organizations/{}", a.id), json!({"name": "Renamed"})).await.expect(200);
    let listed = a.auditor.get(&format!("{record}?limit=200")).await.expect(200);
    let file = a.auditor.get(&format!("{record}/export?format=csv")).await.expect(200);
    let mut table = csv::Reader::from_reader(file.text.as_bytes());
    let names: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), listed.items().len() + 1);
    for row in &rows {
        for text in row {
            assert!(!text.starts_with(['=', '+', '-', '@', '\t', '\r']), "{text}");
        }
    }
    let cell = |row: &csv::StringRecord, name: &str| {
        of_cell(&row[names.iter().position(|known| known == name).unwrap()]).to_owned()
    };
    for (row, entry) in rows.iter().zip(listed.items()) {
        for (name, pointer) in [
            ("id", "/id"),
            ("occurred_at", "/occurred_at"),
            ("event", "/event"),
            ("actor_name", "/actor/name"),
            ("target_id", "/target/id"),
            ("ip", "/ip"),
            ("user_agent", "/user_agent"),
            ("request_id", "/request_id"),
        ] {
            assert_eq!(cell(row, name), entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default(), "{name}");
        }
        assert_eq!(serde_json::from_str::<Value>(&cell(row, "metadata")).unwrap(), entry["metadata"]);
    }
    assert!(rows.iter().any(|row| cell(row, "user_agent") == AGENT), "nobody called with a formula");
    let last: Value = serde_json::from_str(&cell(rows.last().unwrap(), "metadata")).unwrap();
    assert_eq!((&last["entries"], &last["sha256"]), (&json!(rows.len() - 1), &json!(sha256(ended(&file.text).0))));
    world.close().await;
}

/// Proves AUD-3.
#[tokio::test]
async fn cef_is_read_by_its_grammar_and_says_the_same() {
    let world = World::open().await;
    let a = &world.a;
    let record = format!("/v1/organizations/{}/audit", a.id);
    let odd = a.admin.using(AGENT);
    odd.patch(&format!("/v1/organizations/{}", a.id), json!({"name": "Renamed"})).await.expect(200);
    let listed = a.auditor.get(&format!("{record}?limit=200")).await.expect(200);
    let file = a.auditor.get(&format!("{record}/export?format=cef")).await.expect(200);
    let events: Vec<_> =
        file.text.lines().map(|line| cef::parse(line).unwrap_or_else(|fault| panic!("{fault}: {line}"))).collect();
    assert_eq!(events.len(), listed.items().len() + 1);
    for (event, entry) in events.iter().zip(listed.items()) {
        assert_eq!(event.head[4], entry["event"].as_str().unwrap());
        assert_eq!(event.head[5], entry["title"].as_str().unwrap());
        for (key, pointer) in [
            ("externalId", "/id"),
            ("suid", "/actor/id"),
            ("src", "/ip"),
            ("requestClientApplication", "/user_agent"),
            ("cs6", "/request_id"),
        ] {
            let expected = entry.pointer(pointer).and_then(Value::as_str);
            assert_eq!(event.pairs.get(key).map(String::as_str), expected, "{key}");
        }
        assert_eq!(serde_json::from_str::<Value>(&event.pairs["cs5"]).unwrap(), entry["metadata"]);
    }
    assert!(events.iter().any(|event| event.pairs.get("requestClientApplication").is_some_and(|agent| agent == AGENT)));
    let last: Value = serde_json::from_str(&events.last().unwrap().pairs["cs5"]).unwrap();
    assert_eq!(last["sha256"], sha256(ended(&file.text).0));
    world.close().await;
}

/// Proves AUD-3.
#[tokio::test]
async fn ocsf_is_valid_by_the_published_schema() {
    let world = World::open().await;
    world.a.owner.patch(&format!("/v1/organizations/{}", world.a.id), json!({"name": "Renamed"})).await.expect(200);
    let wrong = json!({"email": world.a.member.email, "password": format!("{PASSWORD}x"), "token_delivery": "body"});
    world.server.nobody().post("/v1/sessions", wrong).await.expect(401);
    let schema: Value = serde_json::from_str(include_str!("ocsf-1.8.0.json")).unwrap();
    let mut seen = BTreeSet::new();
    let platform = world.platform_session().await;
    for (reader, of) in [(&*world.a.auditor, world.a.id), (&platform, PLATFORM)] {
        let file = reader.get(&format!("/v1/organizations/{of}/audit/export?format=ocsf")).await.expect(200);
        for line in file.text.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let uid = event["class_uid"].to_string();
            let mut class = schema["classes"][&uid].clone();
            class["$defs"] = schema["$defs"].clone();
            let validator = jsonschema::validator_for(&class).unwrap();
            let faults: Vec<_> = validator.iter_errors(&event).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}\n{line}");
            assert_eq!(event["metadata"]["tenant_uid"], json!(of));
            seen.insert(format!("{}/{uid}", event["metadata"]["event_code"].as_str().unwrap()));
        }
        let last: Value = serde_json::from_str(ended(&file.text).1).unwrap();
        assert_eq!(last["unmapped"]["metadata"]["sha256"], sha256(ended(&file.text).0));
    }
    for expected in [
        "member.added/3005",
        "session.created/3002",
        "session.failed/3002",
        "account.created/3001",
        "organization.updated/3004",
    ] {
        assert!(seen.contains(expected), "{expected} is not in {seen:?}");
    }
    world.close().await;
}
