//! The past: what was held at a moment is what an export as of that moment says, whatever happened since.

use chrono::TimeDelta;
use serde_json::json;

use super::{as_of, export, find, grants, join, make_team, member, moment, pairs, path, set_role, text};
use crate::{
    harness::{Login, Server},
    world::World,
};

/// Proves AZ-5, AZ-3.
#[tokio::test]
async fn who_held_what_is_known_as_of_any_moment_since_the_beginning() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let at_first = moment().await;
    set_role(owner, a, &a.member, "manager").await;
    let raised = moment().await;
    let team = make_team(owner, a, "Night shift", "auditor").await;
    join(owner, a, team, &a.member).await;
    let joined = moment().await;
    let teams = format!("/v1/organizations/{}/teams/{team}", a.id);
    owner.patch(&teams, json!({"role": "admin", "name": "Day shift"})).await.expect(200);
    let promoted = moment().await;
    owner.patch(&member(a, &a.member), json!({"status": "blocked"})).await.expect(200);
    let blocked = moment().await;
    owner.delete(&teams).await.expect(204);
    let alone = moment().await;
    owner.delete(&member(a, &a.member)).await.expect(204);
    let gone = moment().await;

    let auditor = &a.auditor;
    for (at, expected, effective, status) in [
        (at_first, vec![("member", "direct")], json!(["member"]), "active"),
        (raised, vec![("manager", "direct")], json!(["manager"]), "active"),
        (joined, vec![("manager", "direct"), ("auditor", "Night shift")], json!(["manager", "auditor"]), "active"),
        (promoted, vec![("manager", "direct"), ("admin", "Day shift")], json!(["admin"]), "active"),
        (blocked, vec![("manager", "direct"), ("admin", "Day shift")], json!(["admin"]), "blocked"),
        (alone, vec![("manager", "direct")], json!(["manager"]), "blocked"),
    ] {
        let then = as_of(auditor, a, at).await;
        assert_eq!(grants(&then, a.member.membership), pairs(&expected), "{at}");
        let holder = find(&then, a.member.membership).unwrap();
        assert_eq!((&holder["effective_roles"], holder["status"].as_str()), (&effective, Some(status)), "{at}");
        // Whoever has left keeps the name that the record has, and shows no address.
        assert!(holder["name"].is_string() && holder["email"].is_null(), "{holder}");
        // The role is held since it was given, whatever happened to its holder since.
        let since = holder["grants"][0]["since"].as_str().unwrap();
        assert_eq!(since > text(at_first).as_str(), at > at_first, "{at}: {holder}");
        assert!(since <= text(raised).as_str(), "{at}: {holder}");
        assert_eq!(holder["grants"][0]["by"]["type"], "account");
    }
    assert!(find(&as_of(auditor, a, gone).await, a.member.membership).is_none());
    assert!(find(&export(auditor, a, "").await, a.member.membership).is_none());
    let by = find(&as_of(auditor, a, raised).await, a.member.membership).unwrap();
    assert_eq!(by["grants"][0]["by"]["id"], json!(owner.account));
    world.close().await;
}

/// Proves AZ-5: what triggers keep is what is there, for everybody of both tenants and the platform.
#[tokio::test]
async fn the_history_ends_in_what_is_there() {
    let world = World::open().await;
    let mut owner = world.database.psql(Login::Owner).await;
    let different = "
        WITH latest AS (
            SELECT * FROM (SELECT DISTINCT ON (kind, object_id, team_id) * FROM access_history
                WHERE kind NOT LIKE '%custom_role' ORDER BY kind, object_id, team_id, at DESC, id DESC) h WHERE change <> 'ended'
        ), there AS (
            SELECT 'membership' AS kind, id, NULL::uuid AS team_id, role, status FROM memberships
            UNION ALL SELECT 'team', id, NULL, role, NULL FROM teams
            UNION ALL SELECT 'team_member', membership_id, team_id, NULL, NULL FROM team_members
            UNION ALL SELECT 'service_account', id, NULL, role, state FROM service_accounts
        )
        SELECT count(*) FROM latest l FULL JOIN there t ON t.kind = l.kind AND t.id = l.object_id
            AND t.team_id IS NOT DISTINCT FROM l.team_id
        WHERE (l.role, l.status) IS DISTINCT FROM (t.role, t.status) OR l.id IS NULL OR t.id IS NULL";
    assert_eq!(owner.number(different).await, 0);
    assert!(owner.number("SELECT count(*) FROM access_history").await > 20);
    world.close().await;
}

/// Proves AZ-5, NET-9.
#[tokio::test]
async fn a_moment_that_the_history_does_not_have_is_refused_with_the_reason() {
    let world = World::open().await;
    let (a, auditor) = (&world.a, &world.a.auditor);
    let since =
        export(auditor, a, "").await.text_at("/history_since").parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let now = moment().await;
    let first = as_of(auditor, a, since).await;
    assert_eq!(first.text_at("/as_of"), text(since));
    for (at, code) in
        [(since - TimeDelta::microseconds(1), "before_history"), (now + TimeDelta::hours(1), "in_the_future")]
    {
        for (query, name) in [("?as_of=", "as_of"), ("/diff?from=", "from"), ("/diff?to=", "to")] {
            let answer = auditor.get(&path(a, &format!("{query}{}", text(at)))).await.expect(422);
            assert_eq!((answer.faults(), &answer.json["errors"][0]["code"]), (vec![name], &json!(code)), "{answer}");
            if code == "before_history" {
                assert!(answer.text.contains(&text(since)), "{answer}");
            }
        }
    }
    let backwards = format!("/diff?from={}&to={}", text(now), text(since));
    let backwards = auditor.get(&path(a, &backwards)).await.expect(422);
    assert_eq!((backwards.faults(), &backwards.json["errors"][0]["code"]), (vec!["to"], &json!("before_from")));
    for (query, name) in [
        ("?as_of=yesterday", "as_of"),
        ("?as_of=2026-02-30T00:00:00Z", "as_of"),
        ("?as_of=-262143-01-01T00:00:00Z", "as_of"),
        ("?format=xml", "format"),
        ("?table=people", "table"),
        ("?holders=0", "holders"),
        ("?holders=10001", "holders"),
        ("?after=AAAA", "after"),
        ("?after=%2B%2B", "after"),
        ("/diff?cursor=AAAA", "cursor"),
    ] {
        let answer = auditor.get(&path(a, query)).await.expect(422);
        assert_eq!(answer.faults(), [name], "{query}: {answer}");
    }
    // A document of one moment does not go on as of another.
    let after = export(auditor, a, "?holders=1").await.text_at("/next_after").to_owned();
    let mixed = auditor.get(&path(a, &format!("?after={after}&as_of={}", text(since)))).await.expect(422);
    assert_eq!(mixed.faults(), ["after"]);
    world.close().await;
}

/// Proves AZ-5: several documents, as of one moment, are the one.
#[tokio::test]
async fn an_export_in_parts_is_the_whole_as_of_one_moment() {
    let world = World::open().await;
    let (a, auditor) = (&world.a, &world.a.auditor);
    let whole = export(auditor, a, "").await;
    let mut parts = Vec::new();
    let mut query = "?holders=3".to_owned();
    loop {
        let part = export(auditor, a, &query).await;
        parts.extend(part.json["holders"].as_array().unwrap().clone());
        // Whoever comes or changes between two parts is in none of them.
        if parts.len() == 3 {
            set_role(&a.owner, a, &a.subject, "manager").await;
        }
        let Some(after) = part.json["next_after"].as_str() else { break };
        assert!(part.header("link").contains(after), "{}", part.header("link"));
        query = format!("?holders=3&after={after}");
    }
    // The others' sessions have not been used meanwhile.
    assert_eq!(json!(parts), whole.json["holders"]);
    assert_eq!(grants(&export(auditor, a, "").await, a.subject.membership)[0].0, "manager");
    world.close().await;
}

/// Proves AZ-5, CMP-1: whoever has been erased is an id, in the past too.
#[tokio::test]
async fn whoever_was_erased_is_an_id_in_every_past() {
    let world = World::open().await;
    let (a, subject) = (&world.a, &world.a.subject);
    let before = moment().await;
    world.platform.post_nothing(&format!("/v1/accounts/{}/erase", subject.account)).await.expect(200);
    let then = as_of(&a.auditor, a, before).await;
    let holder = find(&then, subject.membership).unwrap();
    assert_eq!((&holder["account_id"], &holder["erased"]), (&json!(subject.account), &json!(true)));
    assert!(holder["name"].is_null() && holder["email"].is_null(), "{holder}");
    assert!(!then.text.contains(&subject.email));
    assert!(find(&export(&a.auditor, a, "").await, subject.membership).is_none());
    let csv = export(&a.auditor, a, &format!("?format=csv&table=holders&as_of={}", text(before))).await;
    assert!(csv.text.contains("(erased)") && !csv.text.contains(&subject.email));
    world.close().await;
}

/// Proves AZ-5, AZ-9: nobody writes the history but the triggers, and nobody rewrites it.
#[tokio::test]
async fn the_history_is_written_by_triggers_alone() {
    let world = World::open().await;
    let a = &world.a;
    for login in [Login::Application, Login::Platform] {
        let mut psql = world.database.psql(login).await;
        psql.act(Some(a.id), Some(a.owner.account)).await;
        for sql in [
            format!(
                "INSERT INTO access_history (organization_id, kind, object_id, change, at, actor_type)
                 VALUES ('{}', 'team', gen_random_uuid(), 'began', now(), 'system')",
                a.id
            ),
            "UPDATE access_history SET role = 'owner'".to_owned(),
            "DELETE FROM access_history".to_owned(),
            "TRUNCATE access_history".to_owned(),
            "UPDATE policy_revisions SET since = now()".to_owned(),
            "DELETE FROM policy_revisions".to_owned(),
            "DROP TABLE access_history".to_owned(),
            "ALTER TABLE memberships DISABLE TRIGGER keep_history_of_changes".to_owned(),
        ] {
            let error = psql.run(&sql).await.expect_err(&sql);
            let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
            assert_eq!(code, "42501", "{login:?}: {sql}: {error}");
        }
    }
    let mut owner = world.database.psql(Login::Owner).await;
    for sql in ["UPDATE access_history SET role = 'owner'", "DELETE FROM access_history", "TRUNCATE access_history"] {
        let error = owner.run(sql).await.expect_err(sql).to_string();
        assert!(error.contains("the history is immutable"), "{sql}: {error}");
    }
    // What is done by hand says so.
    owner.run(&format!("UPDATE memberships SET role = 'admin' WHERE id = '{}'", a.manager.membership)).await.unwrap();
    let holder = find(&export(&a.auditor, a, "").await, a.manager.membership).unwrap();
    assert_eq!(holder["grants"][0]["by"], json!({"type": "database"}));
    // The history goes with its organisation.
    let gone = format!("DELETE FROM organizations WHERE id = '{}'", world.closed);
    assert!(
        owner.number(&format!("SELECT count(*) FROM access_history WHERE organization_id = '{}'", world.closed)).await
            > 0
    );
    owner.run(&gone).await.unwrap();
    assert_eq!(
        owner.number(&format!("SELECT count(*) FROM access_history WHERE organization_id = '{}'", world.closed)).await,
        0
    );
    world.close().await;
}

/// Proves AZ-5: a service account that gives a role is named as what it is.
#[tokio::test]
async fn programs_hold_roles_too_and_give_them() {
    let world = World::open().await;
    let a = &world.a;
    let service = format!("/v1/organizations/{}/service-accounts/{}", a.id, a.service);
    a.owner.patch(&service, json!({"role": "admin"})).await.expect(200);
    a.program.patch(&member(a, &a.subject), json!({"role": "manager"})).await.expect(200);
    let now = export(&a.auditor, a, "").await;
    assert_eq!(grants(&now, a.service), pairs(&[("admin", "direct")]));
    let holder = find(&now, a.subject.membership).unwrap();
    let by = &holder["grants"][0]["by"];
    assert_eq!((&by["type"], &by["id"]), (&json!("service"), &json!(a.service)));
    assert!(by["name"].as_str().is_some_and(|name| name.starts_with("Planner")), "{by}");
    world.close().await;
}

/// Proves AZ-5, AZ-8: whoever accepts an invitation holds what its inviter gave.
#[tokio::test]
async fn whoever_invited_somebody_gave_them_their_role() {
    let world = World::open().await;
    let (a, owner) = (&world.a, &world.a.owner);
    let own = export(&a.auditor, a, "").await;
    let by = find(&own, a.member.membership).unwrap()["grants"][0]["by"].clone();
    assert_eq!((&by["type"], &by["id"]), (&json!("account"), &json!(owner.account)));
    let owners = find(&own, owner.membership).unwrap();
    assert_eq!(by["name"], owners["name"], "an organisation sees its own people's names");
    // The platform sees a tenant's people by their ids, also those who give.
    let all = world.platform.get(&format!("/v1/rbac/policies?organization_id={}", a.id)).await.expect(200);
    let by = find(&all, a.member.membership).unwrap()["grants"][0]["by"].clone();
    assert_eq!((&by["id"], by.get("name")), (&json!(owner.account), None));
    world.close().await;
}

/// Proves AZ-5: what was there before there was a history is known from its beginning on.
#[tokio::test]
async fn what_was_there_before_the_history_is_known_since_its_beginning() {
    let world = World::open().await;
    let a = &world.a;
    // As the step of the schema finds and leaves it.
    let mut owner = world.database.psql(Login::Owner).await;
    owner
        .run(
            "ALTER TABLE access_history DISABLE TRIGGER USER; DELETE FROM access_history;
             INSERT INTO access_history (organization_id, kind, object_id, account_id, change, role, status, at, actor_type)
             SELECT organization_id, 'membership', id, account_id, 'known', role, status, now(), 'system' FROM memberships;
             ALTER TABLE access_history ENABLE TRIGGER USER",
        )
        .await
        .unwrap();
    let second = Server::start(&world.database).await;
    let auditor = a.auditor.at_server_of(second.nobody());
    let holder = find(&export(&auditor, a, "").await, a.member.membership).unwrap();
    assert_eq!(holder["grants"][0]["before_history"], json!(true), "{holder}");
    set_role(&a.owner, a, &a.member, "manager").await;
    let holder = find(&export(&auditor, a, "").await, a.member.membership).unwrap();
    assert!(holder["grants"][0]["before_history"].is_null(), "{holder}");
    second.stop().await;
    world.close().await;
}
