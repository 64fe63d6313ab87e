//! The contract, held against requests, on a contract that poem-openapi itself has written.

use poem_openapi::{Enum, Object, OpenApi, OpenApiService, param::Query, payload::Json};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::error::Place;

#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum Role {
    Owner,
    Member,
}

#[derive(Object)]
#[oai(deny_unknown_fields)]
struct Invite {
    #[oai(validator(max_length = 254))]
    email: String,
    role: Role,
    #[oai(validator(max_length = 1000))]
    message: Option<String>,
}

#[derive(Object)]
#[oai(deny_unknown_fields)]
struct Bulk {
    #[oai(validator(min_items = 1, max_items = 2))]
    invitations: Vec<Invite>,
    #[oai(validator(minimum(value = "0", exclusive)))]
    count: Option<u16>,
    organization_id: Option<Uuid>,
    at: Option<chrono::DateTime<chrono::Utc>>,
    labels: Option<std::collections::HashMap<String, String>>,
}

struct Api;

#[OpenApi]
impl Api {
    #[oai(path = "/bulk", method = "post", operation_id = "bulk")]
    async fn bulk(&self, body: Json<Bulk>) -> Json<bool> {
        Json(body.0.invitations.iter().all(|one| matches!(one.role, Role::Owner)))
    }

    #[oai(path = "/refresh", method = "post", operation_id = "refresh")]
    async fn refresh(&self, body: Json<Option<Invite>>) -> Json<bool> {
        Json(body.0.is_some())
    }

    #[oai(path = "/list", method = "get", operation_id = "list")]
    async fn list(
        &self,
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))] limit: Query<Option<u64>>,
        role: Query<Option<Role>>,
        id: Query<Uuid>,
        #[oai(validator(max_length = 5))] text: Query<Option<String>>,
    ) -> Json<bool> {
        Json(limit.is_some() && role.is_some() && !id.is_nil() && text.is_some())
    }

    #[oai(path = "/since", method = "get", operation_id = "since")]
    async fn since(&self, from: Query<Option<chrono::DateTime<chrono::Utc>>>) -> Json<bool> {
        Json(from.is_some())
    }
}

fn contract() -> Contract {
    let spec = OpenApiService::new(Api, "test", "1").spec();
    let mut spec: Value = serde_json::from_str(&spec).unwrap();
    // As the real contract says it; poem-openapi has no format for a String.
    *spec.pointer_mut("/components/schemas/Invite/properties/email").unwrap() =
        json!({"type": "string", "format": "email", "maxLength": 254});
    Contract::compile(&spec).unwrap()
}

fn send(operation: &str, body: &[u8]) -> Result<()> {
    contract().check(operation, None, Content { media_type: Some("application/json"), bytes: body })
}

/// The faults as `(place, code)`, sorted.
fn faults(result: Result<()>) -> Vec<(String, &'static str)> {
    let Err(Error::Invalid(found)) = result else { panic!("expected faults, got {result:?}") };
    let mut found: Vec<_> = found
        .into_iter()
        .map(|fault| match fault.place {
            Place::Body(pointer) => (pointer, fault.code),
            Place::Parameter(name) => (format!("?{name}"), fault.code),
        })
        .collect();
    found.sort();
    found
}

fn body_faults(body: &Value) -> Vec<(String, &'static str)> {
    faults(send("bulk", body.to_string().as_bytes()))
}

fn query_faults(query: &str) -> Vec<(String, &'static str)> {
    faults(contract().check("list", Some(query), Content { media_type: None, bytes: b"" }))
}

fn pairs(expected: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    expected.iter().map(|(place, code)| ((*place).to_owned(), *code)).collect()
}

#[test]
fn what_the_contract_allows_passes() {
    let body = json!({
        "invitations": [{"email": "a@example.com", "role": "owner", "message": "two\nlines\tlong"}],
        "count": 1, "organization_id": "0198c0de-0000-7000-8000-000000000001", "at": "2026-01-31T12:00:00Z",
        "labels": {"anything": "goes"},
    });
    send("bulk", body.to_string().as_bytes()).unwrap();
    send("refresh", b"").unwrap();
    let query = "limit=200&role=member&id=0198c0de-0000-7000-8000-000000000001&text=a%C3%A9+b";
    let nothing = Content { media_type: None, bytes: b"" };
    contract().check("list", Some(query), nothing).unwrap();
    contract().check("since", Some("from=2026-01-31T12:00:00%2B01:00"), nothing).unwrap();
}

/// Proves NET-9.
#[test]
fn every_fault_is_named_with_its_place() {
    let body = json!({
        "invitations": [{"email": "nobody", "role": "emperor", "x": 1}, {"role": 5, "message": "m".repeat(1001)}],
        "count": 0, "organization_id": "1", "at": "yesterday", "labels": {"a": 1}, "b/~d": true,
    });
    let expected = [
        ("/at", "format"),
        ("/b~1~0d", "unknown_field"),
        ("/count", "range"),
        ("/invitations/0/email", "format"),
        ("/invitations/0/role", "choice"),
        ("/invitations/0/x", "unknown_field"),
        ("/invitations/1/email", "required"),
        ("/invitations/1/message", "length"),
        ("/invitations/1/role", "type"),
        ("/labels/a", "type"),
        ("/organization_id", "format"),
    ];
    assert_eq!(body_faults(&body), pairs(&expected));
    assert_eq!(
        body_faults(&json!({"invitations": [], "count": 65536})),
        pairs(&[("/count", "range"), ("/invitations", "length")])
    );
    assert_eq!(body_faults(&json!([])), pairs(&[("", "type")]));
    assert_eq!(body_faults(&json!({"invitations": null})), pairs(&[("/invitations", "type")]));
}

/// Proves NET-9.
#[test]
fn control_characters_are_refused_wherever_they_are() {
    let body = json!({
        "invitations": [{"email": "a@example.com", "role": "owner", "message": "a\u{0}b"}],
        "labels": {"k": "line\nbreak", "n\u{0}ul": "x"},
    });
    let expected = [
        ("/invitations/0/message", "control_character"),
        ("/labels/k", "control_character"),
        ("/labels/n\u{fffd}ul", "control_character"),
    ];
    assert_eq!(body_faults(&body), pairs(&expected));
}

#[test]
fn no_answer_repeats_a_value() {
    let secret = "hunter2hunter2";
    let body = json!({"invitations": [{"email": secret, "role": secret, "message": 1}], "count": secret, "at": secret});
    let Err(Error::Invalid(found)) = send("bulk", body.to_string().as_bytes()) else { panic!("no faults") };
    assert!(!format!("{found:?}").contains(secret));
    let query = format!("limit={secret}&role={secret}&id={secret}&text={secret}");
    let result = contract().check("list", Some(&query), Content { media_type: None, bytes: b"" });
    let Err(Error::Invalid(found)) = result else { panic!("no faults") };
    assert_eq!(found.len(), 4);
    assert!(!format!("{found:?}").contains(secret));
}

#[test]
fn what_is_not_json_is_malformed() {
    for body in [
        &b"{"[..],
        b"{}{}",
        b"nul",
        b"\xff",
        b"{\"a\":\"\\ud800\"}",
        b"{\"count\":1,\"count\":2}",
        b"{\"labels\":{\"a\":\"x\",\"a\":\"x\"}}",
    ] {
        let result = send("bulk", body);
        assert!(matches!(result, Err(Error::Malformed(_))), "{body:?} gave {result:?}");
    }
    let deep = "[".repeat(100_000);
    assert!(matches!(send("bulk", deep.as_bytes()), Err(Error::Malformed(_))));
}

#[test]
fn a_body_is_there_when_it_should_be_and_of_the_right_type() {
    assert_eq!(faults(send("bulk", b"")), pairs(&[("", "required")]));
    assert_eq!(
        faults(contract().check(
            "list",
            Some("id=0198c0de-0000-7000-8000-000000000001"),
            Content { media_type: None, bytes: b"{}" }
        )),
        pairs(&[("", "unexpected_body")])
    );
    for media_type in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/json; charset=utf-16")]
    {
        let result = contract().check("bulk", None, Content { media_type, bytes: b"{}" });
        assert!(matches!(result, Err(Error::Transport(Code::UnsupportedMediaType))), "{media_type:?}");
    }
    assert!(is_json("Application/JSON;charset=UTF-8"));
}

/// Proves NET-9.
#[test]
fn query_parameters_are_known_typed_and_unique() {
    let id = "id=0198c0de-0000-7000-8000-000000000001";
    assert_eq!(query_faults(""), pairs(&[("?id", "required")]));
    assert_eq!(query_faults(&format!("{id}&limit=0")), pairs(&[("?limit", "range")]));
    assert_eq!(query_faults(&format!("{id}&limit=+5")), pairs(&[("?limit", "type")]));
    assert_eq!(query_faults(&format!("{id}&limit=99999999999999999999")), pairs(&[("?limit", "type")]));
    assert_eq!(query_faults(&format!("{id}&role=emperor")), pairs(&[("?role", "choice")]));
    assert_eq!(query_faults("id=7"), pairs(&[("?id", "format")]));
    assert_eq!(query_faults(&format!("{id}&{id}")), pairs(&[("?id", "repeated")]));
    assert_eq!(query_faults(&format!("{id}&text=a%00b")), pairs(&[("?text", "control_character")]));
    assert_eq!(query_faults(&format!("{id}&text=%ff")), pairs(&[("?text", "format")]));
    assert_eq!(query_faults(&format!("{id}&text=toolong")), pairs(&[("?text", "length")]));
    let since = contract().check("since", Some("from=now"), Content { media_type: None, bytes: b"" });
    assert_eq!(faults(since), pairs(&[("?from", "format")]));
    assert_eq!(
        query_faults(&format!("{id}&sort=a&%00=")),
        pairs(&[("?sort", "unknown_parameter"), ("?\u{fffd}", "unknown_parameter")])
    );
}

#[test]
fn faults_are_bounded() {
    let many: serde_json::Map<_, _> = (0..10_000).map(|n| (format!("{n}{}", "x".repeat(500)), Value::Null)).collect();
    let found = body_faults(&Value::Object(many));
    assert_eq!(found.len(), MOST_FAULTS);
    assert!(found.iter().all(|(pointer, _)| pointer.chars().count() <= 200));
}

#[test]
fn a_schema_that_cannot_be_enforced_stops_the_start() {
    let part = |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}});
    let schema = json!({"allOf": [part("a"), part("b")]});
    let body = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    let spec = json!({"paths": {"/x": {"post": {"operationId": "x_create", "requestBody": body}}}});
    assert!(Contract::compile(&spec).unwrap_err().starts_with("x_create: "));
}
