//! What clients send, held against the contract: every fault named with its place, and nothing done.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Actor, Answer, Login},
    world::World,
};

/// How many rows there are of everything that a request could make.
async fn rows(world: &World) -> i64 {
    let tables = ["accounts", "memberships", "invitations", "organizations", "sessions", "outbox", "idempotency_keys"];
    let counts = tables.map(|table| format!("(SELECT count(*) FROM {table})"));
    world.database.psql(Login::Owner).await.number(&format!("SELECT {}", counts.join(" + "))).await
}

/// Pointer or parameter and code of each fault, sorted.
fn faults(answer: &Answer) -> Vec<String> {
    let faults = answer.json["errors"].as_array().unwrap_or_else(|| panic!("no faults: {answer}"));
    let text = |fault: &Value, name: &str| fault[name].as_str().map(str::to_owned);
    let mut found: Vec<_> = faults
        .iter()
        .map(|fault| {
            let place = text(fault, "pointer").or_else(|| text(fault, "parameter").map(|name| format!("?{name}")));
            assert!(!text(fault, "detail").unwrap().is_empty());
            format!("{} {}", place.unwrap(), text(fault, "code").unwrap())
        })
        .collect();
    found.sort();
    found
}

/// Proves NET-9.
#[tokio::test]
async fn what_cant_be_parsed_is_400_and_not_repeated() {
    let world = World::open().await;
    let before = rows(&world).await;
    let path = format!("/v1/organizations/{}/invitations", world.a.id);
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let bodies: [&[u8]; 9] = [
        b"{\"email\": \"hunter2\"",
        b"hunter2",
        b"{\"email\": \"hunter2\", }",
        b"{\"email\": \"hunter2@x.org\", \"email\": \"b@x.org\", \"role\": \"member\"}",
        b"{\"email\": \"hunter2\xff\"}",
        b"{\"email\": \"hunter2\\ud800\"}",
        b"{\"email\": \"hunter2\n\"}",
        b"\xef\xbb\xbf{\"email\": \"hunter2\"}",
        deep.as_bytes(),
    ];
    for body in bodies {
        let answer = world.a.admin.request(Method::POST, &path).body("application/json", body).send().await;
        let answer = answer.expect(400).problem("malformed_request");
        assert!(!answer.text.contains("hunter2"), "{answer}");
        assert!(answer.json["detail"].as_str().unwrap().contains("line"), "{answer}");
    }
    let twice = bodies[3];
    let answer = world.a.admin.request(Method::POST, &path).body("application/json", twice).send().await;
    assert!(answer.json["detail"].as_str().unwrap().contains("twice"), "{answer}");
    assert_eq!(rows(&world).await, before);
    world.close().await;
}

/// Proves NET-9.
#[tokio::test]
async fn a_body_of_another_type_is_415() {
    let world = World::open().await;
    let path = format!("/v1/organizations/{}/invitations", world.a.id);
    let good = json!({"email": "new@example.com", "role": "member"}).to_string();
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=latin1",
        "application/jsonp",
    ] {
        let answer = world.a.admin.request(Method::POST, &path).body(media_type, good.clone()).send().await;
        answer.expect(415).problem("unsupported_media_type");
    }
    let json = "application/JSON; charset=\"UTF-8\"";
    world.a.admin.request(Method::POST, &path).body(json, good).send().await.expect(201);
    world.close().await;
}

/// Proves NET-9.
#[tokio::test]
async fn every_fault_of_a_body_is_named_at_once() {
    let world = World::open().await;
    let before = rows(&world).await;
    let invitations = format!("/v1/organizations/{}/invitations", world.a.id);
    let admin = &world.a.admin;
    let cases: [(&str, &str, Value, &[&str]); 10] = [
        ("POST", &invitations, json!({}), &["/email required", "/role required"]),
        ("POST", &invitations, json!([]), &[" type"]),
        ("POST", &invitations, json!(null), &[" type"]),
        (
            "POST",
            &invitations,
            json!({"email": 5, "role": {"is": "admin"}, "is_admin": true, "a/b": 1}),
            &["/a~1b unknown_field", "/email type", "/is_admin unknown_field", "/role type"],
        ),
        (
            "POST",
            &invitations,
            json!({"email": "nobody", "role": "member", "message": "a\u{0}b"}),
            &["/email format", "/message control_character"],
        ),
        ("PATCH", "/v1/me", json!({"name": "a".repeat(201)}), &["/name length"]),
        ("PATCH", "/v1/me", json!({"name": ""}), &["/name length"]),
        ("PATCH", "/v1/me", json!({"name": "two\nlines"}), &["/name control_character"]),
        ("PATCH", "/v1/me", json!({"name": "tab\tand \u{7f}"}), &["/name control_character"]),
        (
            "POST",
            &format!("{invitations}/bulk"),
            json!({"invitations": [{"email": "a@example.com", "role": "member"}, {"email": "b", "role": 1, "x": 1}]}),
            &["/invitations/1/email format", "/invitations/1/role type", "/invitations/1/x unknown_field"],
        ),
    ];
    for (method, path, body, expected) in cases {
        let draft = admin.request(method.parse().unwrap(), path).json(&body);
        let answer = draft.send().await.expect(422).problem("invalid_request");
        assert_eq!(faults(&answer), expected, "{body}: {answer}");
    }
    // Faults are bounded, whatever is sent.
    let many: serde_json::Map<_, _> = (0..5000).map(|number| (format!("field{number}"), json!(1))).collect();
    let answer = admin.patch("/v1/me", Value::Object(many)).await.expect(422);
    assert!(faults(&answer).len() <= 50);
    let nothing_to_take = admin.request(Method::DELETE, "/v1/session").json(&json!({})).send().await;
    assert_eq!(faults(&nothing_to_take.expect(422)), [" unexpected_body"]);
    admin.get("/v1/me").await.expect(200);
    assert_eq!(rows(&world).await, before);
    world.close().await;
}

/// Proves NET-9.
#[tokio::test]
async fn text_is_kept_in_one_normal_form() {
    let world = World::open().await;
    let answer = world.a.member.patch("/v1/me", json!({"name": "  Zoe\u{308} Amelie\u{301} "})).await.expect(200);
    assert_eq!(answer.text_at("/account/name"), "Zo\u{eb} Ameli\u{e9}");
    // What turns the reading direction makes one name look like another.
    world.a.member.patch("/v1/me", json!({"name": "\u{202e}nimda"})).await.expect(422).problem("invalid_request");
    world.close().await;
}

/// Proves NET-9.
#[tokio::test]
async fn every_fault_of_a_query_is_named_at_once() {
    let world = World::open().await;
    let members = format!("/v1/organizations/{}/members", world.a.id);
    let audit = format!("/v1/organizations/{}/audit", world.a.id);
    let get = async |actor: &Actor, path: String| actor.get(&path).await.expect(422).problem("invalid_request");
    for (query, expected) in [
        ("limit=0", vec!["?limit range"]),
        ("limit=201", vec!["?limit range"]),
        ("limit=many", vec!["?limit type"]),
        ("limit=-1", vec!["?limit range"]),
        ("limit=99999999999999999999", vec!["?limit type"]),
        ("limit=1&limit=2", vec!["?limit repeated"]),
        ("cursor=@@@", vec!["?cursor format"]),
        ("cursor=AAAA", vec!["?cursor format"]),
        ("page=2&limit=x", vec!["?limit type", "?page unknown_parameter"]),
        ("search=a%00b", vec!["?search control_character"]),
        ("search=%ff", vec!["?search format"]),
        ("status=asleep", vec!["?status choice"]),
    ] {
        let answer = get(&world.a.manager, format!("{members}?{query}")).await;
        assert_eq!(faults(&answer), expected, "{query}: {answer}");
    }
    let answer = get(&world.a.auditor, format!("{audit}?actor_id=me&from=yesterday&severity=worst&x=1")).await;
    assert_eq!(faults(&answer), ["?actor_id format", "?from format", "?severity choice", "?x unknown_parameter"]);
    // A cursor of one list is a place in another, and no more: nothing of A's comes with it.
    let first = world.a.manager.get(&format!("{members}?limit=1")).await.expect(200);
    let cursor = first.text_at("/next_cursor");
    let theirs = format!("/v1/organizations/{}/members?cursor={cursor}", world.b.id);
    assert!(!world.b.manager.get(&theirs).await.expect(200).text.contains(crate::world::CANARY));
    world.close().await;
}

/// Proves NET-9.
#[tokio::test]
async fn an_id_that_is_none_is_a_fault_of_the_path_and_somebody_elses_does_not_exist() {
    let world = World::open().await;
    let member = &world.a.member;
    let bad = member.delete("/v1/me/sessions/not-a-uuid").await.expect(422).problem("invalid_request");
    assert_eq!(faults(&bad), ["?session_id format"]);
    let other = format!("/v1/me/sessions/{}", world.a.owner.session);
    member.delete(&other).await.expect(404).problem("not_found");
    for organization in ["not-a-uuid", "%00", "..%2f..", &world.b.id.to_string()] {
        member.get(&format!("/v1/organizations/{organization}")).await.expect(404).problem("not_found");
    }
    member.get(&format!("/v1/organizations/{}", world.a.id)).await.expect(200);
    world.a.owner.get("/v1/me").await.expect(200);
    world.close().await;
}
