//! Two members who work together, one of whom runs the people of the organisation by a custom role, do whatever they can
//! think of, thousands of times: what they and all that they have made may do together never becomes more than what the
//! two could do at the beginning (AZ-8).
//!
//! `FREEHOLD_TEST_SEED` repeats a run, `FREEHOLD_TEST_STEPS` makes it longer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use freehold::runtime::Clock;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{authority::STEWARD, compose, give, member, path};
use crate::{
    harness::{Actor, Answer, Login, PASSWORD, Psql},
    world::{Person, World},
};

/// How many steps a run has unless it is told otherwise.
const STEPS: u64 = 2_000;
/// How many more people are let in at most: each costs a password's hash.
const RECRUITS: usize = 4;
/// Roles of the installation that they don't have, and one that they have.
const ROLES: [&str; 5] = ["member", "manager", "auditor", "admin", "owner"];
/// What they would like to have.
const WANTED: [&str; 4] = ["audit_list", "organization_settings_update", "members_export", "imports_start"];

/// Chance that can be repeated: SplitMix64 (Steele, Lea, Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// A few of these, perhaps none.
    fn some<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        let count = self.below(4);
        (0..count).filter_map(|_| if of.is_empty() { None } else { Some(self.one(of)) }).collect()
    }
}

/// Who works together, and all that there is in the organisation.
struct Gang<'a> {
    world: &'a World,
    chance: Chance,
    /// Who can act: the two, those whom they let in, their programs.
    actors: Vec<Actor>,
    /// The memberships of people among them.
    members: Vec<Uuid>,
    accounts: Vec<Uuid>,
    /// The programs that they made.
    made: Vec<Uuid>,
    /// Everybody's: memberships that they would like to change, programs, teams, roles, invitations.
    targets: Vec<Uuid>,
    programs: Vec<Uuid>,
    teams: Vec<Uuid>,
    own_teams: Vec<Uuid>,
    roles: Vec<Uuid>,
    invitations: Vec<Uuid>,
    invited: Vec<String>,
    recruits: usize,
    stewardship: Uuid,
    names: usize,
    tried: BTreeMap<&'static str, (usize, usize)>,
}

impl Gang<'_> {
    fn path(&self, rest: impl Display) -> String {
        path(&self.world.a, &rest.to_string())
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("Thing {}", self.names)
    }

    /// Permissions that they have, and now and then some that they don't.
    fn permissions(&mut self) -> Vec<&'static str> {
        let mut some = self.chance.some(STEWARD);
        some.push(self.chance.one(STEWARD));
        if self.chance.below(4) == 0 {
            some.push(self.chance.one(&WANTED));
        }
        some
    }

    fn role(&mut self) -> &'static str {
        if self.chance.below(4) == 0 { self.chance.one(&ROLES) } else { "member" }
    }

    /// One thing that one of them does, and what it is called.
    async fn step(&mut self) -> (&'static str, Answer) {
        let actor = self.chance.one(&self.actors);
        let custom = { self.chance.some(&self.roles.clone()) };
        match self.chance.below(16) {
            0 | 1 => self.compose(&actor).await,
            2 => {
                let (role, permissions) = (self.chance.one(&self.roles), self.permissions());
                let body = json!({"permissions": permissions});
                ("change a role", actor.patch(&self.path(format_args!("roles/{role}")), body).await)
            }
            3 => self.delete_role(&actor).await,
            4 | 5 => {
                let (who, role) = (self.chance.one(&self.targets), self.role());
                let body = json!({"role": role, "custom_role_ids": custom});
                ("change a member", actor.patch(&self.path(format_args!("members/{who}")), body).await)
            }
            6 => self.make_team(&actor, custom).await,
            7 => {
                let team = self.chance.one(&self.teams);
                let body = json!({"custom_role_ids": custom});
                ("change a team", actor.patch(&self.path(format_args!("teams/{team}")), body).await)
            }
            8 | 9 => {
                let (team, who) = (self.chance.one(&self.teams), self.chance.one(&self.targets));
                let place = self.path(format_args!("teams/{team}/members/{who}"));
                let method = if self.chance.below(4) == 0 { Method::DELETE } else { Method::PUT };
                let name = if method == Method::PUT { "join a team" } else { "leave a team" };
                (name, actor.request(method, &place).send().await)
            }
            10 => self.make_program(&actor, custom).await,
            11 => {
                let (program, role) = (self.chance.one(&self.programs), self.role());
                let body = json!({"role": role, "custom_role_ids": custom});
                let path = self.path(format_args!("service-accounts/{program}"));
                ("change a program", actor.patch(&path, body).await)
            }
            12 => self.get_a_key(&actor).await,
            13 => self.invite(&actor, custom).await,
            14 => match self.chance.below(3) {
                0 => self.accept().await,
                _ => {
                    let invitation = self.chance.one(&self.invitations);
                    let path = self.path(format_args!("invitations/{invitation}/resend"));
                    ("send again", actor.post_nothing(&path).await)
                }
            },
            _ => self.meanwhile().await,
        }
    }

    async fn compose(&mut self, actor: &Actor) -> (&'static str, Answer) {
        let body = json!({"name": self.name(), "permissions": self.permissions()});
        let answer = actor.post(&self.path("roles"), body).await;
        if answer.status == 201 {
            self.roles.push(answer.id_at("/id"));
        }
        ("compose a role", answer)
    }

    async fn delete_role(&mut self, actor: &Actor) -> (&'static str, Answer) {
        let role = self.chance.one(&self.roles);
        if role == self.stewardship {
            return ("look at a role", actor.get(&self.path(format_args!("roles/{role}"))).await);
        }
        let answer = actor.delete(&self.path(format_args!("roles/{role}?holders=release"))).await;
        if answer.status == 204 {
            self.roles.retain(|known| *known != role);
        }
        ("delete a role", answer)
    }

    async fn make_team(&mut self, actor: &Actor, custom: Vec<Uuid>) -> (&'static str, Answer) {
        let mut body = json!({"name": self.name(), "custom_role_ids": custom});
        if self.chance.below(3) == 0 {
            body["role"] = json!(self.role());
        }
        let answer = actor.post(&self.path("teams"), body).await;
        if answer.status == 201 {
            self.teams.push(answer.id_at("/id"));
            self.own_teams.push(answer.id_at("/id"));
        }
        ("make a team", answer)
    }

    async fn make_program(&mut self, actor: &Actor, custom: Vec<Uuid>) -> (&'static str, Answer) {
        let body = json!({"name": self.name(), "role": self.role(), "custom_role_ids": custom});
        let answer = actor.post(&self.path("service-accounts"), body).await;
        if answer.status == 201 {
            self.programs.push(answer.id_at("/id"));
            self.made.push(answer.id_at("/id"));
        }
        ("make a program", answer)
    }

    async fn get_a_key(&mut self, actor: &Actor) -> (&'static str, Answer) {
        let program = self.chance.one(&self.programs);
        let path = self.path(format_args!("service-accounts/{program}/keys"));
        let answer = actor.post(&path, json!({"name": "Key"})).await;
        if answer.status == 201 {
            // Whoever made it, it is theirs now, and what it may do counts.
            if !self.made.contains(&program) {
                self.made.push(program);
            }
            self.actors.push(self.world.server.bearer(answer.text_at("/key")));
        }
        ("get a key", answer)
    }

    async fn invite(&mut self, actor: &Actor, custom: Vec<Uuid>) -> (&'static str, Answer) {
        self.names += 1;
        let email = format!("friend{}@example.com", self.names);
        let teams = if self.chance.below(2) == 0 { self.chance.some(&self.teams.clone()) } else { Vec::new() };
        let teams: BTreeSet<_> = teams.into_iter().collect();
        let body = json!({"email": email, "role": self.role(), "custom_role_ids": custom, "team_ids": teams});
        let answer = actor.post(&self.path("invitations"), body).await;
        if answer.status == 201 {
            self.invitations.push(answer.id_at("/id"));
            self.invited.push(email);
        }
        ("invite", answer)
    }

    /// A friend accepts their invitation, and is one of them.
    async fn accept(&mut self) -> (&'static str, Answer) {
        let nobody = self.world.server.nobody();
        if self.recruits == RECRUITS || self.invited.is_empty() {
            return ("look around", nobody.get("/v1/health").await);
        }
        self.recruits += 1;
        let at = self.chance.below(self.invited.len());
        let email = self.invited.swap_remove(at);
        let token = self.world.database.mail().take_token(&email).await;
        let body = json!({"token": token, "name": "Friend", "password": PASSWORD, "token_delivery": "body"});
        let answer = nobody.post("/v1/invitations/accept", body).await;
        if answer.status == 201 {
            let friend = self.world.server.bearer(answer.text_at("/access_token"));
            let membership = friend.get("/v1/me").await.expect(200).id_at("/member_id");
            self.accounts.push(answer.id_at("/account/id"));
            self.members.push(membership);
            self.targets.push(membership);
            self.actors.push(friend);
        }
        ("accept", answer)
    }

    /// The owner takes something away, or gives back what was there.
    async fn meanwhile(&mut self) -> (&'static str, Answer) {
        let (a, owner) = (&self.world.a, &self.world.a.owner);
        let role = path(a, &format!("roles/{}", self.stewardship));
        match self.chance.below(4) {
            0 => {
                let left: Vec<_> = STEWARD.iter().filter(|_| self.chance.below(6) > 0).collect();
                ("the owner takes some of it away", owner.patch(&role, json!({"permissions": left})).await)
            }
            1 => ("the owner takes the role away", give(owner, a, &a.member, &[]).await),
            _ => {
                owner.patch(&role, json!({"permissions": STEWARD})).await.expect(200);
                ("the owner gives it back", give(owner, a, &a.member, &[self.stewardship]).await)
            }
        }
    }

    /// What they and all that they have made may do, beyond what any member may; as it is written down.
    async fn reach(&self, database: &mut Psql) -> (BTreeSet<String>, BTreeSet<String>) {
        let list = |ids: &[Uuid]| {
            let ids: Vec<_> = ids.iter().map(Uuid::to_string).collect();
            format!("'{{{}}}'::uuid[]", ids.join(","))
        };
        let (members, accounts, made) = (list(&self.members), list(&self.accounts), list(&self.made));
        let own_teams = list(&self.own_teams);
        let gang = format!(
            "WITH invited AS (
                SELECT id, role FROM invitations WHERE status = 'pending'
                  AND (invited_by = ANY ({accounts}) OR invited_by_service = ANY ({made}))
            ), joined AS (
                SELECT team_id AS id FROM team_members WHERE membership_id = ANY ({members})
                UNION SELECT team_id FROM invitation_teams WHERE invitation_id IN (SELECT id FROM invited)
                UNION SELECT unnest({own_teams})
            )"
        );
        let permissions = format!(
            "{gang} SELECT DISTINCT p AS what FROM custom_role_grants g JOIN custom_roles r ON r.id = g.custom_role_id
             CROSS JOIN unnest(r.permissions) AS p
             WHERE g.membership_id = ANY ({members}) OR g.service_account_id = ANY ({made})
                OR g.invitation_id IN (SELECT id FROM invited) OR g.team_id IN (SELECT id FROM joined)"
        );
        let roles = format!(
            "{gang} SELECT role AS what FROM memberships WHERE id = ANY ({members})
             UNION SELECT role FROM service_accounts WHERE id = ANY ({made})
             UNION SELECT role FROM invited
             UNION SELECT role FROM teams WHERE id IN (SELECT id FROM joined) AND role IS NOT NULL"
        );
        let texts = |rows: Vec<Value>| rows.iter().map(|row| row["what"].as_str().unwrap().to_owned()).collect();
        (texts(database.rows(&permissions).await), texts(database.rows(&roles).await))
    }
}

/// What there is to be had, were it not above them.
async fn bait(world: &World) -> (Uuid, Uuid, Uuid, Uuid) {
    let (a, owner) = (&world.a, &world.a.owner);
    let spy = compose(owner, a, "Spy", &["audit_list", "members_list"]).await;
    let team = json!({"name": "Spies", "custom_role_ids": [spy]});
    let team = owner.post(&path(a, "teams"), team).await.expect(201).id_at("/id");
    let robot = json!({"name": "Robot", "role": "member", "custom_role_ids": [spy]});
    let robot = owner.post(&path(a, "service-accounts"), robot).await.expect(201).id_at("/id");
    let invite = json!({"email": "spy@example.com", "role": "member", "custom_role_ids": [spy], "team_ids": [team]});
    let invitation = owner.post(&path(a, "invitations"), invite).await.expect(201).id_at("/id");
    (spy, team, robot, invitation)
}

/// Proves AZ-8.
#[tokio::test]
async fn nobody_reaches_more_than_they_hold_through_any_sequence_of_operations() {
    #[expect(clippy::disallowed_methods, reason = "the long runs of the tests are asked for by the environment")]
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("FREEHOLD_TEST_SEED").unwrap_or_else(|| Clock::default().now().timestamp_micros().unsigned_abs());
    let steps = number("FREEHOLD_TEST_STEPS").unwrap_or(STEPS);
    println!("FREEHOLD_TEST_SEED={seed} FREEHOLD_TEST_STEPS={steps}");
    let world = World::open().await;
    let a = &world.a;
    let (one, two): (&Person, &Person) = (&a.member, &a.subject);
    let stewardship = compose(&a.owner, a, "Steward", STEWARD).await;
    give(&a.owner, a, one, &[stewardship]).await.expect(200);
    let (spy, spies, robot, invitation) = bait(&world).await;
    let others = [&a.owner, &a.admin, &a.manager, &a.auditor].map(|person| person.membership);
    let mut gang = Gang {
        world: &world,
        chance: Chance(seed),
        actors: vec![(**one).clone(), (**two).clone(), (**one).clone()],
        members: vec![one.membership, two.membership],
        accounts: vec![one.account, two.account],
        made: Vec::new(),
        targets: [one.membership, two.membership, one.membership, two.membership].into_iter().chain(others).collect(),
        programs: vec![robot, a.service],
        teams: vec![spies, a.team],
        own_teams: Vec::new(),
        roles: vec![stewardship, spy, a.custom_role],
        invitations: vec![invitation, a.pending.id],
        invited: Vec::new(),
        recruits: 0,
        stewardship,
        names: 0,
        tried: BTreeMap::new(),
    };
    let bound: BTreeSet<_> = STEWARD.iter().map(ToString::to_string).collect();
    let mut database = world.database.psql(Login::Owner).await;
    let started = std::time::Instant::now();
    for step in 0..steps {
        let (what, answer) = gang.step().await;
        assert!(answer.status < 500, "step {step} of seed {seed}, {what}: {answer}");
        let tried = gang.tried.entry(what).or_default();
        tried.0 += 1;
        tried.1 += usize::from(answer.status < 300);
        let (permissions, roles) = gang.reach(&mut database).await;
        let more: Vec<_> = permissions.difference(&bound).collect();
        assert!(more.is_empty(), "step {step} of seed {seed}, {what}: {more:?} by {answer}");
        assert!(roles.iter().all(|role| role == "member"), "step {step} of seed {seed}, {what}: {roles:?} by {answer}");
    }
    println!("{steps} steps in {:?}; of each, tried and done: {:#?}", started.elapsed(), gang.tried);
    // What the server says is what is written down.
    let plain = a.blocked.membership;
    let plain = a.owner.patch(&path(a, &format!("members/{plain}")), json!({"status": "active"})).await;
    assert_eq!(plain.status, 200, "{plain}");
    let operations = async |actor: &Actor| -> BTreeSet<String> {
        let me = actor.get("/v1/me").await.expect(200);
        me.json["operations"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let anybodys = operations(&a.blocked).await;
    for actor in [one, two] {
        let own: BTreeSet<_> = operations(actor).await.difference(&anybodys).cloned().collect();
        assert!(own.is_subset(&bound), "{own:?}");
    }
    for actor in &gang.actors {
        let answer = actor.get(&path(a, "audit")).await;
        assert_eq!((answer.status, answer.problem_code()), (403, Ok("forbidden")), "{answer}");
    }
    assert_eq!(a.owner.get(&member(a, &a.owner)).await.expect(200).text_at("/role"), "owner");
    // They tried everything, and much of it they could do.
    let done: usize = gang.tried.values().map(|(_, done)| done).sum();
    if steps >= STEPS {
        assert!(u64::try_from(done).unwrap() > steps / 8, "only {done} of {steps} were done");
        for (what, (_, done)) in &gang.tried {
            // Whether the owner's programs or the last recruit come up is chance.
            assert!(*done > 0 || what.starts_with("look"), "nobody managed to {what}");
        }
    }
    world.close().await;
}
