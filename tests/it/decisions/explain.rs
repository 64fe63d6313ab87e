//! Why somebody may or may not: where the roles come from, by which way, and what else stands in the way.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::inside;
use crate::{
    harness::{Actor, Answer},
    world::{CANARY, Person, World},
};

async fn ask(by: &Actor, question: Value) -> Answer {
    by.post("/v1/rbac/explain", question).await
}

async fn why(by: &Actor, who: &Person, operation: &str) -> Answer {
    ask(by, json!({"account_id": who.account, "operation": operation})).await.expect(200)
}

/// The way from the role that is held to the one that the registry names.
fn path(answer: &Answer) -> Vec<(String, String)> {
    let steps = answer.json["granted_by"]["path"].as_array().unwrap_or_else(|| panic!("no path: {answer}"));
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    steps.iter().map(|step| (text(&step["role"]), text(&step["link"]))).collect()
}

fn gate(answer: &Answer, name: &str) -> Option<Value> {
    answer.json["gates"].as_array().unwrap().iter().find(|gate| gate["gate"] == name).cloned()
}

fn steps(steps: &[(&str, &str)]) -> Vec<(String, String)> {
    steps.iter().map(|(role, link)| ((*role).to_owned(), (*link).to_owned())).collect()
}

/// Proves AZ-10.
#[tokio::test]
async fn an_explanation_names_the_rule_the_way_and_where_the_roles_come_from() {
    let world = World::open().await;
    let (a, auditor) = (&world.a, &world.a.auditor);
    let refused = why(auditor, &a.member, "members_list").await;
    assert_eq!((refused.text_at("/decision"), refused.text_at("/code")), ("refused", "forbidden"));
    assert_eq!(refused.json["operation"]["minimum_role"], "manager");
    assert_eq!(refused.json["roles_allowed"], json!(["owner", "admin", "manager", "auditor"]));
    assert!(refused.json["granted_by"].is_null(), "{refused}");
    assert_eq!(refused.json["who"]["email"], json!(a.member.email));
    assert!(refused.json["revision"]["number"].as_i64().unwrap() >= 1);

    // Through a team, which the answer names.
    let team = json!({"name": "Night shift", "role": "manager"});
    let team = a.owner.post(&inside(a, "teams"), team).await.expect(201).id_at("/id");
    let place = inside(a, &format!("teams/{team}/members/{}", a.member.membership));
    a.owner.request(Method::PUT, &place).send().await.expect(204);
    let allowed = why(auditor, &a.member, "members_list").await;
    assert_eq!(allowed.text_at("/decision"), "allowed");
    assert_eq!(path(&allowed), steps(&[("manager", "-")]));
    let holds = allowed.json["holds"].as_array().unwrap();
    assert_eq!((&holds[0]["role"], &holds[0]["via"]), (&json!("member"), &json!("direct")));
    assert_eq!(holds[1]["via"], "team");
    assert_eq!(
        (&holds[1]["role"], &holds[1]["team"], &holds[1]["team_id"]),
        (&json!("manager"), &json!("Night shift"), &json!(team))
    );
    assert_eq!(allowed.json["effective_roles"], json!(["manager"]));

    // By inheritance, and by reading as another.
    let owner = why(auditor, &a.owner, "members_list").await;
    assert_eq!(path(&owner), steps(&[("owner", "-"), ("admin", "inherits"), ("manager", "inherits")]));
    let reads = why(auditor, &a.auditor, "members_list").await;
    assert_eq!(path(&reads), steps(&[("auditor", "-"), ("admin", "reads_as"), ("manager", "inherits")]));
    // What is one's own.
    let own = json!({"account_id": a.subject.account, "operation": "members_remove", "object": "own"});
    let own = ask(auditor, own).await.expect(200);
    assert_eq!((own.text_at("/decision"), own.text_at("/granted_by/rule")), ("allowed", "own_role"));
    assert_eq!(why(auditor, &a.subject, "members_remove").await.text_at("/decision"), "refused");
    // What is for everybody asks for no role.
    let mine = why(auditor, &a.subject, "me_get").await;
    assert_eq!(mine.text_at("/decision"), "allowed");
    assert!(mine.json["granted_by"].is_null() && mine.json["operation"].get("minimum_role").is_none(), "{mine}");
    world.close().await;
}

/// Proves AZ-10.
#[tokio::test]
async fn an_explanation_says_what_else_a_call_has_to_pass() {
    let world = World::open().await;
    let a = &world.a;
    let deletes = why(&a.auditor, &a.owner, "organizations_delete").await;
    assert_eq!(deletes.text_at("/decision"), "allowed");
    let proof = gate(&deletes, "reauthentication").unwrap();
    assert_eq!((&proof["state"], &proof["seconds"]), (&json!("asks"), &json!(3600)));
    assert!(gate(&deletes, "sign_in_age").is_some());
    assert!(gate(&why(&a.auditor, &a.owner, "members_list").await, "reauthentication").is_none());
    // A membership that is blocked, and an account.
    let blocked = why(&a.auditor, &a.blocked, "organizations_get").await;
    assert_eq!(blocked.text_at("/code"), "not_found");
    assert_eq!(gate(&blocked, "membership").unwrap()["state"], "closed");
    let block = format!("/v1/accounts/{}/block", a.subject.account);
    world.platform.post(&block, json!({"reason": "Reported"})).await.expect(200);
    let blocked = why(&a.auditor, &a.subject, "organizations_get").await;
    assert_eq!(blocked.text_at("/code"), "session_ended");
    a.subject.get(&inside(a, "members")).await.expect(401).problem("session_ended");

    // A program, its keys and what only people do.
    let of_program = |operation: &str| json!({"service_account_id": a.service, "operation": operation});
    let reads = ask(&a.auditor, of_program("organizations_get")).await.expect(200);
    assert_eq!(reads.text_at("/decision"), "allowed");
    assert_eq!(gate(&reads, "api_key").unwrap()["api_key_id"], json!(a.api_key));
    assert_eq!(ask(&a.auditor, of_program("me_get")).await.expect(200).text_at("/code"), "people_only");
    let service = inside(a, &format!("service-accounts/{}", a.service));
    a.owner.post_nothing(&format!("{service}/disable")).await.expect(200);
    let disabled = ask(&a.auditor, of_program("organizations_get")).await.expect(200);
    assert_eq!(disabled.text_at("/code"), "api_key_not_valid");
    assert_eq!(gate(&disabled, "service_account").unwrap()["state"], "closed");
    a.owner.post_nothing(&format!("{service}/enable")).await.expect(200);
    a.owner.delete(&format!("{service}/keys/{}", a.api_key)).await.expect(204);
    let keyless = ask(&a.auditor, of_program("organizations_get")).await.expect(200);
    assert_eq!(keyless.text_at("/code"), "api_key_not_valid");
    world.close().await;
}

/// Proves AZ-2, AZ-10: whoever acts in an organisation is explained there while they do.
#[tokio::test]
async fn a_platform_administrator_who_acts_is_explained_with_the_end_of_it() {
    let world = World::open().await;
    let a = &world.a;
    let question = json!({"account_id": world.platform.account, "operation": "teams_create"});
    ask(&a.auditor, question.clone()).await.expect(422).problem("invalid_request");
    let acting = world.acting_in(a.id).await;
    let answer = ask(&a.auditor, question.clone()).await.expect(200);
    assert_eq!(answer.text_at("/decision"), "allowed");
    assert_eq!(answer.json["holds"][0]["via"], "acting");
    assert!(gate(&answer, "acting").unwrap()["until"].is_string());
    // Of who it is the tenant is told no more than the id.
    assert!(answer.json["who"].get("email").is_none() && answer.json["who"].get("name").is_none(), "{answer}");
    acting.delete("/v1/session/acting").await.expect(200);
    ask(&a.auditor, question).await.expect(422);
    world.close().await;
}

/// Proves AZ-10, AUD-2: a refusal is asked about by its request's id.
#[tokio::test]
async fn a_recorded_refusal_is_explained_by_its_request() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let refused = a.member.get(&inside(a, "members")).await.expect(403);
    let id = refused.header("x-request-id").to_owned();
    let question = json!({"request_id": id});
    world.server.flush_refusals().await;
    let answer = ask(&a.auditor, question.clone()).await.expect(200);
    assert_eq!(answer.json["operation"]["operation"], "members_list");
    assert_eq!(answer.json["who"]["account_id"], json!(a.member.account));
    assert_eq!((answer.text_at("/code"), answer.text_at("/recorded/code")), ("forbidden", "forbidden"));
    // It says what would be decided now, beside what was.
    let role = json!({"role": "manager"});
    a.owner.patch(&inside(a, &format!("members/{}", a.member.membership)), role).await.expect(200);
    let now = ask(&a.auditor, question.clone()).await.expect(200);
    assert_eq!((now.text_at("/decision"), now.text_at("/recorded/code")), ("allowed", "forbidden"));
    // Who has left since is explained as who they are now: nobody.
    a.owner.delete(&inside(a, &format!("members/{}", a.member.membership))).await.expect(204);
    let gone = ask(&a.auditor, question.clone()).await.expect(200);
    assert_eq!(
        (gone.text_at("/code"), gate(&gone, "membership").unwrap()["state"].clone()),
        ("not_found", json!("closed"))
    );
    // Another tenant's refusal is none here, nor is one that never was, nor a text without words.
    let theirs = ask(&b.auditor, question).await.expect(422);
    let never = ask(&b.auditor, json!({"request_id": Uuid::nil()})).await.expect(422);
    let odd = ask(&b.auditor, json!({"request_id": "%_' OR 1"})).await.expect(422);
    let dots = ask(&b.auditor, json!({"request_id": "..."})).await.expect(422);
    for answer in [&theirs, &never, &odd, &dots] {
        assert_eq!(answer.faults(), ["/request_id"], "{answer}");
        assert_eq!(answer.json["errors"], theirs.json["errors"]);
    }
    world.close().await;
}

/// Proves AZ-9, AZ-10: another tenant's people are nobody here.
#[tokio::test]
async fn explanations_stay_in_the_organisation() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    for (question, place) in [
        (json!({"account_id": a.member.account, "operation": "members_list"}), "/account_id"),
        (json!({"account_id": Uuid::nil(), "operation": "members_list"}), "/account_id"),
        (json!({"account_id": a.guest.account, "operation": "members_list"}), "/account_id"),
        (json!({"service_account_id": a.service, "operation": "members_list"}), "/service_account_id"),
    ] {
        let answer = ask(&b.owner, question).await.expect(422).problem("invalid_request");
        assert_eq!(answer.faults(), [place], "{answer}");
        assert!(!answer.text.contains(CANARY), "{answer}");
    }
    // Not even the platform's, whose session is elsewhere.
    let question = json!({"account_id": a.member.account, "operation": "members_list"});
    ask(&world.platform, question.clone()).await.expect(422);
    let own = json!({"account_id": world.platform.account, "operation": "organizations_list"});
    assert_eq!(ask(&world.platform, own).await.expect(200).text_at("/decision"), "allowed");
    for person in [&a.member, &a.manager] {
        ask(person, question.clone()).await.expect(403).problem("forbidden");
    }
    world.close().await;
}

/// Proves AZ-10, NET-9.
#[tokio::test]
async fn a_question_that_is_none_is_answered_with_where_it_is_wrong() {
    let world = World::open().await;
    let a = &world.a;
    let id = a.member.account;
    for (question, place) in [
        (json!({"operation": "members_list"}), ""),
        (json!({"account_id": id, "service_account_id": a.service, "operation": "members_list"}), ""),
        (json!({"account_id": id}), "/operation"),
        (json!({"account_id": id, "operation": "ships_list"}), "/operation"),
        (json!({"account_id": id, "operation": "members_list", "object": "own"}), "/object"),
        (json!({"account_id": id, "operation": "members_get", "object": "theirs"}), "/object"),
    ] {
        let answer = ask(&a.admin, question).await.expect(422).problem("invalid_request");
        assert_eq!(answer.faults(), [place], "{answer}");
    }
    world.close().await;
}
