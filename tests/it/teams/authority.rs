//! Who may do what to teams: nobody gives by a team what they don't hold, and nobody raises themselves by one.

use serde_json::json;

use super::{add, becomes, make, member, newest_entry, path, place, set_role};
use crate::{
    harness::folder,
    world::{Person, World},
};

/// Proves AZ-8.
#[tokio::test]
async fn no_team_makes_an_owner() {
    let world = World::open().await;
    let a = &world.a;
    for role in ["owner", "platform_admin", "wizard"] {
        let refused = a.owner.post(&path(a, ""), json!({"name": "Crown", "role": role})).await;
        assert_eq!(refused.expect(422).problem("invalid_request").faults(), ["/role"], "{role}");
        let refused = set_role(&a.owner, a, a.team, Some(role)).await;
        assert_eq!(refused.expect(422).problem("invalid_request").faults(), ["/role"], "{role}");
    }
    // So nobody by a team is the owner that an organisation keeps.
    let team = make(&a.owner, a, "Deputies", Some("admin")).await;
    add(&a.owner, a, team, &a.member).await.expect(204);
    a.owner.delete(&member(a, &a.owner)).await.expect(409).problem("last_owner");
    world.close().await;
}

/// Proves AZ-8.
#[tokio::test]
async fn nobody_turns_what_a_team_gives_into_something_of_their_own() {
    let world = World::open().await;
    let (a, climber) = (&world.a, &world.a.member);
    let team = make(&a.owner, a, "Deputies", Some("admin")).await;
    let choir = make(&a.owner, a, "Choir", None).await;
    add(&a.owner, a, team, climber).await.expect(204);
    add(&a.owner, a, choir, climber).await.expect(204);
    becomes(&[climber], &format!("/v1/organizations/{}/audit", a.id), 200).await;

    climber.patch(&member(a, climber), json!({"role": "admin"})).await.expect(403).problem("own_role");
    climber.patch(&member(a, climber), json!({"role": "manager"})).await.expect(403).problem("own_role");
    let other = make(climber, a, "Others", Some("admin")).await;
    add(climber, a, other, climber).await.expect(403).problem("own_role");
    set_role(climber, a, choir, Some("admin")).await.expect(403).problem("own_role");
    let entry = newest_entry(a, "team.change_refused").await;
    assert_eq!((&entry["outcome"], &entry["metadata"]["code"]), (&json!("refused"), &json!("own_role")));
    assert_eq!((&entry["target"]["id"], &entry["actor"]["id"]), (&json!(choir), &json!(climber.account)));

    // What they hold by the team they may give to others, as long as they hold it.
    add(climber, a, other, &a.subject).await.expect(204);
    set_role(climber, a, team, Some("manager")).await.expect(200);
    becomes(&[climber], &format!("/v1/organizations/{}/audit", a.id), 403).await;
    set_role(climber, a, team, Some("admin")).await.expect(403).problem("forbidden");
    add(climber, a, other, &a.manager).await.expect(403).problem("forbidden");
    assert_eq!(a.owner.get(&member(a, climber)).await.expect(200).json["effective_roles"], json!(["manager"]));
    world.close().await;
}

/// A world with a role between administrators and owners, that a team can give.
async fn with_a_chief() -> World {
    let directory = folder("chiefs");
    let files = freehold::authz::PolicyFiles::default();
    let roles = files.roles.replace("\nowner,admin,,", "\nowner,chief,,");
    let roles = format!("{}\nchief,admin,,organization,Chief,Above administrators.\n", roles.trim_end());
    std::fs::write(directory.join("operations.csv"), files.operations).unwrap();
    std::fs::write(directory.join("roles.csv"), roles).unwrap();
    std::fs::write(directory.join("model.conf"), files.model).unwrap();
    World::configured(&[("FREEHOLD_POLICIES_DIRECTORY", directory.to_str().unwrap())]).await
}

/// Proves AZ-8.
#[tokio::test]
async fn a_team_above_ones_own_role_is_out_of_reach() {
    let world = with_a_chief().await;
    let (a, admin) = (&world.a, &world.a.admin);
    let team = make(&a.owner, a, "Chiefs", Some("chief")).await;
    add(&a.owner, a, team, &a.subject).await.expect(204);
    let one = path(a, &format!("/{team}"));
    let refused = async |answer: crate::harness::Answer| {
        answer.expect(403).problem("role_above_own");
    };
    refused(admin.post(&path(a, ""), json!({"name": "More chiefs", "role": "chief"})).await).await;
    refused(set_role(admin, a, a.team, Some("chief")).await).await;
    refused(set_role(admin, a, team, None).await).await;
    refused(admin.patch(&one, json!({"name": "Indians"})).await).await;
    refused(admin.delete(&one).await).await;
    refused(add(admin, a, team, &a.member).await).await;
    refused(admin.delete(&place(a, team, &a.subject)).await).await;
    assert_eq!(newest_entry(a, "team.change_refused").await["metadata"]["code"], "role_above_own");

    // Nor is who is in it within reach, whatever their direct role.
    refused(admin.patch(&member(a, &a.subject), json!({"status": "blocked"})).await).await;
    refused(admin.patch(&member(a, &a.subject), json!({"role": "manager"})).await).await;
    refused(admin.delete(&member(a, &a.subject)).await).await;

    // Nor does an invitation give it, or is it theirs to send again or withdraw.
    let invitations = format!("/v1/organizations/{}/invitations", a.id);
    let invite = json!({"email": "new@example.com", "role": "member", "team_ids": [team]});
    refused(admin.post(&invitations, invite.clone()).await).await;
    let entry = newest_entry(a, "invitation.refused").await;
    assert_eq!(entry["metadata"], json!({"role": "member", "teams": team}));
    let made = a.owner.post(&invitations, invite).await.expect(201).id_at("/id");
    refused(admin.post_nothing(&format!("{invitations}/{made}/resend")).await).await;
    refused(admin.delete(&format!("{invitations}/{made}")).await).await;

    let seen = a.owner.get(&member(a, &a.subject)).await.expect(200);
    assert_eq!((seen.text_at("/role"), seen.text_at("/status")), ("member", "active"));
    assert_eq!(seen.json["effective_roles"], json!(["chief"]));
    a.owner.delete(&one).await.expect(204);
    world.close().await;
}

/// Proves AZ-9.
#[tokio::test]
async fn teams_and_members_of_another_organisation_are_not_there() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let put = async |path: String| b.owner.request(reqwest::Method::PUT, &path).send().await;
    let stranger: &Person = &a.member;
    put(place(b, b.team, stranger)).await.expect(404).problem("not_found");
    put(place(b, a.team, &b.member)).await.expect(404).problem("not_found");
    put(place(a, a.team, &b.member)).await.expect(404).problem("not_found");
    b.owner.delete(&place(b, b.team, &a.subject)).await.expect(404).problem("not_found");
    b.owner.delete(&place(b, b.team, &b.member)).await.expect(404).problem("not_found");
    assert_eq!(b.owner.get(&path(b, &format!("/{}", b.team))).await.expect(200).json["member_count"], 1);
    world.close().await;
}
