//! A lost second factor: who gets back into their account through another mailbox, when, and who is told.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{answer, challenge, entries, passkeys, password, step, told};
use crate::{
    harness::{Actor, Answer, Login, PASSWORD, PATIENCE, Server, add_passkey, enrol, eventually, totp},
    world::{Person, World},
};

const ASK: &str = "/v1/sessions/recovery";
const ADDRESS: &str = "/v1/me/recovery-address";
const ASKED: &str = "A recovery of your account was asked for";
const LINK: &str = "Recover your account";

/// The recovery address of somebody.
fn home(person: &Person) -> String {
    format!("home-{}@example.net", person.account)
}

/// The token of the newest letter with this subject; waits for that many.
async fn token(world: &World, email: &str, subject: &str, letters: usize) -> String {
    let texts = eventually(subject, PATIENCE, async || {
        let texts = world.database.mail().texts(email, subject).await;
        (texts.len() >= letters).then_some(texts)
    })
    .await;
    let text = texts.last().unwrap();
    let after = text.split("#token=").nth(1).unwrap();
    after.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
}

/// Gives somebody a recovery address as a person does.
async fn with_address(world: &World, person: &Person) -> String {
    let email = home(person);
    person.put(ADDRESS, json!({"email": email})).await.expect(200);
    let token = token(world, &email, "Confirm your recovery address", 1).await;
    person.post(&format!("{ADDRESS}/verify"), json!({"token": token})).await.expect(200);
    email
}

async fn asked(at: &Actor, challenge: &str) -> Answer {
    at.post(ASK, json!({"challenge": challenge})).await
}

/// Asks for a recovery as somebody who has lost their factor.
async fn ask(world: &World, person: &Person) -> Answer {
    let nobody = world.server.nobody();
    asked(nobody, &challenge(nobody, &person.email).await).await
}

async fn complete(at: &Actor, token: &str) -> Answer {
    at.post("/v1/recoveries/complete", json!({"token": token})).await
}

async fn stop(at: &Actor, token: &str) -> Answer {
    at.post("/v1/recoveries/stop", json!({"token": token})).await
}

/// A member with a factor and a recovery address.
async fn prepared<'a>(world: &World, person: &'a Person) -> (&'a Person, String, String) {
    let address = with_address(world, person).await;
    let (key, _) = enrol(&world.server, person.account).await;
    (person, address, key)
}

/// Has somebody prove their factor in their session: without that nobody changes what stands in for it.
async fn prove(person: &Person, method: &str, code: &str) {
    let factor = json!({"method": method, "code": code});
    let proof = json!({"password": PASSWORD, "second_factor": factor});
    person.post("/v1/session/reauthenticate", proof).await.expect(200);
}

/// Proves MFA-7.
#[tokio::test]
async fn a_lost_factor_is_recovered_through_the_other_mailbox_after_the_password() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let (member, address, _) = prepared(&world, &world.a.member).await;
    let answer = ask(&world, member).await.expect(200);
    assert_eq!(answer.text_at("/status"), "ready", "{answer}");
    assert!(!answer.text.contains("example"), "the answer says where the letter went: {answer}");
    // Both mailboxes know at once; only one can complete it.
    for email in [&member.email, &address] {
        told(&world, email, ASKED).await;
    }
    let completes = token(&world, &address, LINK, 1).await;
    assert_eq!(world.database.mail().count_with(&member.email, LINK).await, 0);
    // Nothing has changed before the link is used.
    password(nobody, &member.email).await.expect(200);
    member.get("/v1/me").await.expect(200);
    let done = complete(nobody, &completes).await.expect(204);
    assert!(done.headers.get("set-cookie").is_none(), "a recovery signs nobody in");
    member.get("/v1/me").await.expect(401);
    let refresh = json!({"refresh_token": member.refresh_token});
    nobody.post("/v1/sessions/refresh", refresh).await.expect(401);
    password(nobody, &member.email).await.expect(201);
    for email in [&member.email, &address] {
        told(&world, email, "Your account was recovered").await;
    }
    let mut psql = world.database.psql(Login::Owner).await;
    for table in ["totp_factors", "backup_codes", "second_factor_challenges", "known_devices"] {
        let count = format!("SELECT count(*) FROM {table} WHERE account_id = '{}'", member.account);
        assert_eq!(psql.number(&count).await, 0, "{table}");
    }
    for event in ["recovery_address_requested", "recovery_address_set", "recovery_requested", "recovered"] {
        let found = entries(&world, &format!("second_factor.{event}"), member.account).await;
        assert_eq!(found.len(), 1, "{event}");
    }
    complete(nobody, &completes).await.expect(404).problem("recovery_not_valid");
    world.close().await;
}

/// Proves MFA-7.
#[tokio::test]
async fn a_link_works_once_in_its_time_and_only_the_newest_does() {
    let world = World::open().await;
    let other = Server::start(&world.database).await;
    let nobody = world.server.nobody();
    let (member, address, _) = prepared(&world, &world.a.member).await;
    ask(&world, member).await.expect(200);
    let old = token(&world, &address, LINK, 1).await;
    ask(&world, member).await.expect(200);
    let new = token(&world, &address, LINK, 2).await;
    assert_ne!(old, new);
    complete(nobody, &old).await.expect(404).problem("recovery_not_valid");
    // What stops a recovery completes none, and the other way round.
    let stops = token(&world, &member.email, ASKED, 2).await;
    complete(nobody, &stops).await.expect(404);
    stop(nobody, &new).await.expect(404);
    complete(nobody, "fhl_not-a-token").await.expect(404).problem("recovery_not_valid");
    // Two who use it at once: one does.
    let both = join_all([nobody, other.nobody()].map(|at| complete(at, &new))).await;
    let mut statuses: Vec<_> = both.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404]);
    other.stop().await;

    let (late, address, _) = prepared(&world, &world.a.manager).await;
    ask(&world, late).await.expect(200);
    let expired = token(&world, &address, LINK, 1).await;
    world.server.advance(TimeDelta::hours(24));
    complete(nobody, &expired).await.expect(404).problem("recovery_not_valid");
    password(nobody, &late.email).await.expect(200);
    world.close().await;
}

/// Proves MFA-7.
#[tokio::test]
async fn who_is_told_stops_it_and_so_does_whatever_makes_it_needless() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let (member, address, key) = prepared(&world, &world.a.member).await;
    ask(&world, member).await.expect(200);
    let first = token(&world, &address, LINK, 1).await;
    // By the link in the account's own mailbox.
    stop(nobody, &token(&world, &member.email, ASKED, 1).await).await.expect(204);
    complete(nobody, &first).await.expect(404).problem("recovery_not_valid");
    for email in [&member.email, &address] {
        told(&world, email, "The recovery of your account was stopped").await;
    }
    // In a session.
    ask(&world, member).await.expect(200);
    let own = member.get(ADDRESS).await.expect(200);
    assert_eq!((own.text_at("/email"), own.text_at("/recovery/status")), (address.as_str(), "ready"));
    member.delete("/v1/me/recovery").await.expect(204);
    member.delete("/v1/me/recovery").await.expect(404).problem("recovery_not_valid");
    assert!(member.get(ADDRESS).await.expect(200).json.get("recovery").is_none());
    // By the factor, which was not lost after all.
    ask(&world, member).await.expect(200);
    let third = token(&world, &address, LINK, 3).await;
    let open = challenge(nobody, &member.email).await;
    answer(nobody, &open, ("totp", &totp(&key, step(&world.server)))).await.expect(201);
    complete(nobody, &third).await.expect(404);
    // Three a day are all, whatever became of them.
    let refused = ask(&world, member).await.expect(429).problem("too_many_requests");
    assert!(refused.header("retry-after").parse::<i64>().unwrap() > 3600 * 20, "{refused}");
    let stopped = entries(&world, "second_factor.recovery_stopped", member.account).await;
    let reasons: Vec<_> = stopped.iter().map(|entry| entry["metadata"]["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["asked", "asked", "factor_used"]);

    // By a passkey, which needs no challenge.
    let owner = &world.a.owner;
    let address = with_address(&world, owner).await;
    let (mut held, _, _) = add_passkey(owner, "Notebook").await;
    ask(&world, owner).await.expect(200);
    let before = token(&world, &address, LINK, 1).await;
    passkeys::sign_in(nobody, &mut held).await.expect(201);
    complete(nobody, &before).await.expect(404);
    // Another password: whoever asked did not know that one.
    let (manager, address, _) = prepared(&world, &world.a.manager).await;
    ask(&world, manager).await.expect(200);
    let before = token(&world, &address, LINK, 1).await;
    let change = json!({"current_password": PASSWORD, "password": "Granite-orchard-47-lamps"});
    manager.put("/v1/me/password", change).await.expect(204);
    complete(nobody, &before).await.expect(404);
    // Another mailbox, and none.
    let (auditor, address, _) = prepared(&world, &world.a.auditor).await;
    ask(&world, auditor).await.expect(200);
    let before = token(&world, &address, LINK, 1).await;
    auditor.delete(ADDRESS).await.expect(204);
    complete(nobody, &before).await.expect(404);
    for email in [&auditor.email, &address] {
        told(&world, email, "Your recovery address was removed").await;
    }
    ask(&world, auditor).await.expect(409).problem("recovery_unavailable");
    // An administrator was quicker.
    let (subject, address, _) = prepared(&world, &world.a.subject).await;
    ask(&world, subject).await.expect(200);
    let before = token(&world, &address, LINK, 1).await;
    world.platform.delete(&format!("/v1/accounts/{}/second-factors", subject.account)).await.expect(204);
    complete(nobody, &before).await.expect(404);
    world.close().await;
}

/// Proves MFA-7: the password comes first, and then the mailbox.
#[tokio::test]
async fn nothing_begins_without_the_password_or_a_proven_address() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let member = &world.a.member;
    let (_, codes) = enrol(&world.server, member.account).await;
    asked(nobody, "fhc_not-a-challenge").await.expect(401).problem("challenge_not_valid");
    nobody.post(ASK, json!({})).await.expect(401).problem("challenge_not_valid");
    ask(&world, member).await.expect(409).problem("recovery_unavailable");
    // One that waits for its proof is none.
    prove(member, "backup_code", &codes[0]).await;
    member.put(ADDRESS, json!({"email": home(member)})).await.expect(200);
    told(&world, &member.email, "You are about to have another recovery address").await;
    let proof = token(&world, &home(member), "Confirm your recovery address", 1).await;
    ask(&world, member).await.expect(409).problem("recovery_unavailable");
    assert_eq!(entries(&world, "second_factor.recovery_unavailable", member.account).await.len(), 2);
    assert_eq!(world.database.mail().count_with(&home(member), ASKED).await, 0);
    // It is proven in a session of the account that asked, in a day, once.
    let (verify, proof) = (format!("{ADDRESS}/verify"), json!({"token": proof}));
    world.a.manager.post(&verify, proof.clone()).await.expect(404).problem("email_link_not_valid");
    nobody.post(&verify, proof.clone()).await.expect(401);
    member.post(&verify, proof.clone()).await.expect(200);
    member.post(&verify, proof).await.expect(404).problem("email_link_not_valid");
    // Nobody signs in with it, and nobody is found by it.
    password(nobody, &home(member)).await.expect(401);

    // A challenge that is answered, or too old, begins nothing.
    let old = challenge(nobody, &member.email).await;
    world.server.advance(TimeDelta::minutes(5));
    asked(nobody, &old).await.expect(401).problem("challenge_not_valid");
    world.close().await;
}

/// Proves MFA-7: it differs from the account's address.
#[tokio::test]
async fn a_recovery_address_is_another_mailbox_and_stays_one() {
    let world = World::open().await;
    let member = &world.a.member;
    let update = |email: String| member.put(ADDRESS, json!({"email": email}));
    for same in [member.email.clone(), member.email.to_uppercase(), format!(" {} ", member.email)] {
        let refused = update(same).await;
        assert!([400, 422].contains(&refused.status) && refused.text.contains("/email"), "{refused}");
    }
    with_address(&world, member).await;
    let refused = update(home(member).to_uppercase()).await;
    assert!(refused.status >= 400 && refused.text.contains("same"), "{refused}");
    // Neither becomes the other: the address of the account can't be changed to it, nor it to what that is to be.
    let change = |email: &str| member.post("/v1/me/email/change", json!({"email": email}));
    let refused = change(&home(member)).await;
    assert!(refused.status >= 400 && refused.text.contains("recovery_address"), "{refused}");
    change("next@example.org").await.expect(200);
    assert!(update("Next@example.org".to_owned()).await.status >= 400);
    member.delete("/v1/me/email/change").await.expect(204);

    // Another takes its place only when it is proven, and both addresses are told.
    update("other@example.org".to_owned()).await.expect(200);
    for email in [&member.email, &home(member)] {
        told(&world, email, "You are about to have another recovery address").await;
    }
    let state = member.get(ADDRESS).await.expect(200);
    assert_eq!(
        (state.text_at("/email"), state.text_at("/pending/email")),
        (home(member).as_str(), "other@example.org")
    );
    let proof = token(&world, "other@example.org", "Confirm your recovery address", 1).await;
    member.post(&format!("{ADDRESS}/verify"), json!({"token": proof})).await.expect(200);
    assert_eq!(member.get(ADDRESS).await.expect(200).text_at("/email"), "other@example.org");
    let told_old = async || {
        let count = world.database.mail().count_with(&home(member), "Your recovery address was set").await;
        (count > 0).then_some(())
    };
    eventually("the address before is told", PATIENCE, told_old).await;
    // Nobody's mailbox is buried.
    for number in 0..3 {
        update(format!("more-{number}@example.org")).await.expect(200);
    }
    update("more-4@example.org".to_owned()).await.expect(429).problem("too_many_requests");
    world.close().await;
}

/// Proves MFA-7: the strictest of the platform and all organisations holds.
#[tokio::test]
async fn where_it_has_to_wait_the_link_works_only_then() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let (member, address, _) = prepared(&world, &world.a.member).await;
    let (elsewhere, there, _) = prepared(&world, &world.b.member).await;
    world.platform.patch("/v1/settings", json!({"mfa": {"recovery_wait_hours": 12}})).await.expect(200);
    let settings = format!("/v1/organizations/{}/settings", world.a.id);
    world.a.owner.patch(&settings, json!({"mfa": {"recovery_wait_hours": 6}})).await.expect(422);
    world.a.owner.patch(&settings, json!({"mfa": {"recovery_wait_hours": 48}})).await.expect(200);
    let answer = ask(&world, member).await.expect(200);
    assert_eq!(answer.text_at("/status"), "waiting");
    let first = token(&world, &address, LINK, 1).await;
    complete(nobody, &first).await.expect(409).problem("recovery_waits");
    ask(&world, elsewhere).await.expect(200);
    world.server.advance(TimeDelta::hours(30));
    // Whoever is in no such organisation waits as long as the platform says.
    complete(nobody, &token(&world, &there, LINK, 1).await).await.expect(204);
    // Asking again is another link and no more waiting.
    ask(&world, member).await.expect(200);
    let second = token(&world, &address, LINK, 2).await;
    complete(nobody, &second).await.expect(409).problem("recovery_waits");
    world.server.advance(TimeDelta::hours(18) + TimeDelta::minutes(1));
    complete(nobody, &first).await.expect(404);
    world.server.advance(TimeDelta::hours(23));
    complete(nobody, &second).await.expect(204);
    world.close().await;
}

/// Proves MFA-7: asking again does not take from its owner what stops it, however long that takes.
#[tokio::test]
async fn what_was_sent_first_stops_what_was_asked_for_again() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let (member, address, _) = prepared(&world, &world.a.member).await;
    world.platform.patch("/v1/settings", json!({"mfa": {"recovery_wait_hours": 72}})).await.expect(200);
    ask(&world, member).await.expect(200);
    let stops = token(&world, &member.email, ASKED, 1).await;
    let columns = ["begun_at", "created_at", "not_before", "expires_at"];
    let earlier = columns.map(|column| format!("{column} = {column} - interval '50 hours'")).join(", ");
    let mut psql = world.database.psql(Login::Owner).await;
    psql.run(&format!("UPDATE recovery_requests SET {earlier}")).await.unwrap();
    ask(&world, member).await.expect(200);
    let again = token(&world, &address, LINK, 2).await;
    let leader = cleaning(&world).await;
    let done = "SELECT count(*) FROM job_runs WHERE job = 'second_factors_clean_up' AND state = 'succeeded'";
    eventually("what is over is removed", PATIENCE, async || (psql.number(done).await == 1).then_some(())).await;
    leader.stop().await;
    stop(nobody, &stops).await.expect(204);
    world.server.advance(TimeDelta::hours(23));
    complete(nobody, &again).await.expect(404);
    // Of one that was asked for after that it stops nothing.
    ask(&world, member).await.expect(200);
    stop(nobody, &stops).await.expect(404);
    world.close().await;
}

/// Proves MFA-7, AZ-8.
#[tokio::test]
async fn where_an_administrator_has_to_approve_the_right_one_does_once() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let (a, b) = (&world.a, &world.b);
    let list = format!("/v1/organizations/{}/recoveries", a.id);
    let settings = format!("/v1/organizations/{}/settings", a.id);
    a.owner.patch(&settings, json!({"mfa": {"recovery_approval": "administrator"}})).await.expect(200);
    let (member, address, _) = prepared(&world, &a.member).await;
    let answer = ask(&world, member).await.expect(200);
    assert_eq!(answer.text_at("/status"), "approval_required", "{answer}");
    for email in [&member.email, &address] {
        told(&world, email, ASKED).await;
    }
    // Asking again is the same request, and no letter.
    ask(&world, member).await.expect(200);
    assert_eq!(entries(&world, "second_factor.recovery_requested", member.account).await.len(), 1);
    assert_eq!(world.database.mail().count_with(&address, LINK).await, 0);

    let waiting = a.admin.get(&list).await.expect(200);
    assert_eq!((waiting.items().len(), waiting.text_at("/items/0/email")), (1, member.email.as_str()));
    let id = waiting.text_at("/items/0/id").to_owned();
    let reason = json!({"reason": "Called back on the number in the file"});
    // Not whoever is no administrator, nor those of another organisation, nor in theirs.
    a.manager.post(&format!("{list}/{id}/approve"), reason.clone()).await.expect(403);
    b.admin.post(&format!("{list}/{id}/approve"), reason.clone()).await.expect(404);
    let theirs = format!("/v1/organizations/{}/recoveries", b.id);
    assert!(b.admin.get(&theirs).await.expect(200).items().is_empty());
    b.admin.post(&format!("{theirs}/{id}/approve"), reason.clone()).await.expect(404);
    // Of two at once, one.
    let path = format!("{list}/{id}/approve");
    let both = join_all([&a.admin, &a.owner].map(|by| by.post(&path, reason.clone()))).await;
    let mut statuses: Vec<_> = both.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404]);
    assert!(a.admin.get(&list).await.expect(200).items().is_empty());
    told(&world, &member.email, "The recovery of your account was approved").await;
    complete(nobody, &token(&world, &address, LINK, 1).await).await.expect(204);
    // In the platform's record, and in that of the organisation whose administrator it was.
    let approved = entries(&world, "second_factor.recovery_approved", member.account).await;
    assert!(
        approved.len() == 2 && approved.iter().any(|entry| entry["organization_id"] == json!(a.id)),
        "{approved:?}"
    );

    // Nobody approves their own, nor that of somebody above them; the platform does, but not its administrator's own.
    let (admin, _, _) = prepared(&world, &a.admin).await;
    let (owner, address, _) = prepared(&world, &a.owner).await;
    for person in [admin, owner] {
        ask(&world, person).await.expect(200);
    }
    let waiting = world.platform.get("/v1/recoveries").await.expect(200);
    let of = |person: &Person| {
        let found = waiting.items().iter().find(|item| item["account_id"] == json!(person.account));
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    for (person, code) in [(admin, "own_recovery"), (owner, "role_above_own")] {
        a.admin.post(&format!("{list}/{}/approve", of(person)), reason.clone()).await.expect(403).problem(code);
    }
    assert_eq!(entries(&world, "account.change_refused", owner.account).await.len(), 1);
    let refuse = format!("/v1/recoveries/{}/refuse", of(owner));
    world.platform.post(&refuse, json!({"reason": "Nobody answered"})).await.expect(204);
    world.platform.post(&refuse, json!({"reason": "Nobody answered"})).await.expect(404);
    let letter = eventually("the refusal", PATIENCE, async || {
        world.database.mail().texts(&owner.email, "The recovery of your account was refused").await.pop()
    });
    assert!(letter.await.contains("Nobody answered"));
    assert_eq!(world.database.mail().count_with(&address, LINK).await, 0);
    world.close().await;
}

/// Proves MFA-5, MFA-7: a recovery gives nobody more time.
#[tokio::test]
async fn after_a_recovery_the_time_to_do_without_is_what_it_was() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let (admin, address, _) = prepared(&world, &world.a.admin).await;
    let due = format!(
        "INSERT INTO second_factor_deadlines (account_id, due_at, created_at)
         VALUES ('{}', now() - interval '1 day', now())
         ON CONFLICT (account_id) DO UPDATE SET due_at = excluded.due_at",
        admin.account
    );
    world.database.psql(Login::Owner).await.run(&due).await.unwrap();
    world.platform.patch("/v1/settings", json!({"mfa": {"required_from": null}})).await.expect(200);
    ask(&world, admin).await.expect(200);
    complete(nobody, &token(&world, &address, LINK, 1).await).await.expect(204);
    let entered = password(nobody, &admin.email).await.expect(201);
    let inside = world.server.bearer(entered.text_at("/access_token"));
    let path = format!("/v1/organizations/{}", world.a.id);
    inside.get(&path).await.expect(403).problem("mfa_enrolment_required");
    inside.post_nothing("/v1/me/second-factors/totp").await.expect(200);
    world.close().await;
}

/// Proves MFA-7: what lies in the database completes no recovery, stops none, and says no address.
#[tokio::test]
async fn a_dump_holds_no_token_and_no_address() {
    let world = World::open().await;
    let (member, address, key) = prepared(&world, &world.a.member).await;
    prove(member, "totp", &totp(&key, step(&world.server))).await;
    member.put(ADDRESS, json!({"email": "waits@example.org"})).await.expect(200);
    let proves = token(&world, "waits@example.org", "Confirm your recovery address", 1).await;
    ask(&world, member).await.expect(200);
    let completes = token(&world, &address, LINK, 1).await;
    let stops = token(&world, &member.email, ASKED, 1).await;
    world.database.letters_are_sent().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let tables = psql
        .rows("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace")
        .await;
    let mut dump = String::new();
    for table in tables {
        let name = table["relname"].as_str().unwrap().to_owned();
        dump.push_str(&Value::from(psql.rows(&format!("SELECT to_jsonb(t) AS row FROM {name} t")).await).to_string());
    }
    assert!(dump.contains("recovery_approval") || dump.contains("stop_hash"), "the dump is not one");
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for secret in [&proves, &completes, &stops, &address, "waits@example.org"] {
        assert!(!dump.contains(secret) && !dump.contains(&hex(secret)), "the dump has {secret}");
    }
    world.close().await;
}

/// A leader that has been told to remove what is over.
async fn cleaning(world: &World) -> Server {
    world.database.psql(Login::Owner).await.run("DELETE FROM job_runs").await.unwrap();
    let jobs = freehold::operations::jobs().into_iter().filter(|job| job.name == "second_factors_clean_up").collect();
    let leader = Server::leading(&world.database, &[], jobs).await;
    let platform = world.platform.at_server_of(leader.nobody());
    platform.post_nothing("/v1/jobs/second_factors_clean_up/runs").await.expect(201);
    leader
}

/// Proves MFA-8.
#[tokio::test]
async fn recoveries_and_addresses_that_are_over_are_removed_and_no_others() {
    let world = World::open().await;
    let (member, _, key) = prepared(&world, &world.a.member).await;
    let (manager, _, _) = prepared(&world, &world.a.manager).await;
    prove(member, "totp", &totp(&key, step(&world.server))).await;
    member.put(ADDRESS, json!({"email": "waits@example.org"})).await.expect(200);
    ask(&world, member).await.expect(200);
    // Over for the first already, and open for a week for the other.
    member.delete("/v1/me/recovery").await.expect(204);
    world.platform.patch("/v1/settings", json!({"mfa": {"recovery_approval": "administrator"}})).await.expect(200);
    ask(&world, manager).await.expect(200);
    let counts = async || {
        let mut psql = world.database.psql(Login::Owner).await;
        let requests = psql.number("SELECT count(*) FROM recovery_requests").await;
        (requests, psql.number("SELECT count(*) FROM recovery_addresses").await)
    };
    assert_eq!(counts().await, (2, 3));
    let mut psql = world.database.psql(Login::Owner).await;
    for (table, more) in
        [("recovery_requests", ", begun_at = begun_at - interval '25 hours'"), ("recovery_addresses", "")]
    {
        let age = "created_at = created_at - interval '25 hours', expires_at = expires_at - interval '25 hours'";
        psql.run(&format!("UPDATE {table} SET {age}{more}")).await.unwrap();
    }
    let leader = cleaning(&world).await;
    eventually("what is over is removed", PATIENCE, async || (counts().await == (1, 2)).then_some(())).await;
    // The one that is left still waits, and its address is still proven.
    assert_eq!(world.platform.get("/v1/recoveries").await.expect(200).items().len(), 1);
    leader.stop().await;
    world.close().await;
}
