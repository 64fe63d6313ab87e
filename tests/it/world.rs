//! A small world: a platform with two tenants of the same shape, A and B, that know nothing of each other.
//!
//! It is built once a run, through the API alone, and copied for each test. Every text of tenant A (its name, its
//! people's names and addresses, its messages) holds [`CANARY`]: where that word turns up in front of anybody who is
//! not A's, something leaked. The platform administrator belongs to neither tenant.

use std::ops::Deref;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::harness::{Actor, Answer, Database, PASSWORD, PATIENCE, Server, eventually};

/// The word in every text of tenant A.
pub const CANARY: &str = "canary7f3a";
/// Its counterpart in tenant B.
const OTHER: &str = "bravo";

/// The world, on a server and a database of the test's own.
pub struct World {
    /// The people and things.
    pub cast: Cast,
    /// The server.
    pub server: Server,
    /// Its database.
    pub database: Database,
}

/// Who and what there is.
#[derive(Clone)]
pub struct Cast {
    /// The platform administrator, in the platform's organisation, a member of no tenant.
    pub platform: Person,
    /// The tenant whose every text holds [`CANARY`].
    pub a: Tenant,
    /// The other tenant.
    pub b: Tenant,
    /// An account that is blocked everywhere.
    pub suspended: Uuid,
    /// An organisation that was deleted.
    pub closed: Uuid,
}

/// A tenant and its people.
#[derive(Clone)]
pub struct Tenant {
    /// The organisation.
    pub id: Uuid,
    /// The first owner.
    pub owner: Person,
    /// An administrator.
    pub admin: Person,
    /// A manager.
    pub manager: Person,
    /// A plain member.
    pub member: Person,
    /// An auditor.
    pub auditor: Person,
    /// Another plain member, for what is done to one. The tenant manages the account.
    pub subject: Person,
    /// A member who is blocked in this organisation, with a session in it.
    pub blocked: Person,
    /// Somebody who was a member, is none any more, and is invited again.
    pub guest: Person,
    /// The token of the guest's invitation.
    pub guest_token: String,
    /// A team that gives the role of a member, with the subject in it.
    pub team: Uuid,
    /// A role of the organisation's own that nobody holds: whoever does sees members and teams.
    pub custom_role: Uuid,
    /// A service account of a member's role.
    pub service: Uuid,
    /// Its key.
    pub api_key: Uuid,
    /// Who calls with it.
    pub program: Actor,
    /// A profile attribute, `desk`: sealed and searchable, with a value of the subject's.
    pub desk: Uuid,
    /// A profile attribute, `site`: a choice that nobody has made.
    pub site: Uuid,
    /// An open invitation of somebody without an account, into the team.
    pub pending: Invitation,
    /// An invitation that was withdrawn.
    pub revoked: Invitation,
    /// An import of the administrator's, checked and not worked off.
    pub import: Uuid,
    /// How many bytes its file has.
    pub import_bytes: usize,
    /// The newest entry of the owner's in the audit log.
    pub entry: Uuid,
    /// A rule of the organisation's own that raises alerts when a team is made.
    pub alert_rule: Uuid,
    /// An alert that it raised.
    pub alert: Uuid,
}

/// A person with a session in their tenant.
#[derive(Clone)]
pub struct Person {
    actor: Actor,
    /// The address.
    pub email: String,
    /// The account.
    pub account: Uuid,
    /// The membership; somebody who is no member any more keeps the number of the one they had.
    pub membership: Uuid,
    /// The session.
    pub session: Uuid,
    /// The session's refresh token.
    pub refresh_token: String,
}

/// An invitation and the token of its link.
#[derive(Clone)]
pub struct Invitation {
    /// The invitation.
    pub id: Uuid,
    /// Who was invited.
    pub email: String,
    /// The token.
    pub token: String,
}

impl World {
    /// A world of the test's own. End it with [`World::close`].
    pub async fn open() -> Self {
        Self::configured(&[]).await
    }

    /// The same on a server with more settings, by the names of their variables.
    pub async fn configured(settings: &[(&str, &str)]) -> Self {
        static ORIGINAL: OnceCell<(Database, Cast)> = OnceCell::const_new();
        let (original, cast) = ORIGINAL.get_or_init(build).await;
        let database = Database::copy_of(original).await;
        let server = Server::configured(&database, settings).await;
        Self { cast: cast.at(&server), server, database }
    }

    /// A new session of the platform administrator's that acts in an organisation.
    pub async fn acting_in(&self, organization: Uuid) -> Actor {
        let administrator = self.platform_session().await;
        let start = format!("/v1/organizations/{organization}/act-in");
        administrator.post(&start, json!({"reason": "Ticket 4711"})).await.expect(200);
        administrator
    }

    /// A new session of the platform administrator's, in the platform's organisation.
    pub async fn platform_session(&self) -> Actor {
        let sign_in = json!({"email": self.platform.email, "password": PASSWORD, "token_delivery": "body"});
        let answer = self.server.nobody().post("/v1/sessions", sign_in).await.expect(201);
        self.server.bearer(answer.text_at("/access_token"))
    }

    /// Stops the server.
    pub async fn close(self) {
        self.server.stop().await;
    }
}

impl Deref for World {
    type Target = Cast;

    fn deref(&self) -> &Cast {
        &self.cast
    }
}

impl Deref for Person {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.actor
    }
}

impl Cast {
    /// The same people, at this server.
    pub fn at(&self, server: &Server) -> Self {
        let mut cast = self.clone();
        let Self { platform, a, b, .. } = &mut cast;
        let people = [platform].into_iter().chain(a.everybody_mut()).chain(b.everybody_mut());
        people.for_each(|person| person.actor = person.actor.at_server_of(server.nobody()));
        [a, b].into_iter().for_each(|tenant| tenant.program = tenant.program.at_server_of(server.nobody()));
        cast
    }
}

impl Tenant {
    /// The members by role, the highest first, the auditor last.
    pub fn by_role(&self) -> [(&'static str, &Person); 5] {
        [
            ("owner", &self.owner),
            ("admin", &self.admin),
            ("manager", &self.manager),
            ("member", &self.member),
            ("auditor", &self.auditor),
        ]
    }

    /// Who has this role.
    pub fn with_role(&self, role: &str) -> &Person {
        let found = self.by_role().into_iter().find(|(name, _)| *name == role);
        found.unwrap_or_else(|| panic!("nobody in the world is {role}")).1
    }

    fn everybody_mut(&mut self) -> [&mut Person; 8] {
        let Self { owner, admin, manager, member, auditor, subject, blocked, guest, .. } = self;
        [owner, admin, manager, member, auditor, subject, blocked, guest]
    }
}

impl Person {
    fn signed_in(nobody: &Actor, answer: &Answer, agent: &str) -> Self {
        Self {
            actor: nobody.bearing(answer.text_at("/access_token")).using(agent),
            email: answer.text_at("/account/email").to_owned(),
            account: answer.id_at("/account/id"),
            membership: Uuid::nil(),
            session: answer.id_at("/session/id"),
            refresh_token: answer.text_at("/refresh_token").to_owned(),
        }
    }
}

async fn build() -> (Database, Cast) {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let cast = Builder { database: &database, server: &server }.cast().await;
    // A letter that the copies' servers find unsent would be sent by each of them.
    database.letters_are_sent().await;
    server.stop().await;
    (database, cast)
}

struct Builder<'a> {
    database: &'a Database,
    server: &'a Server,
}

impl Builder<'_> {
    async fn cast(&self) -> Cast {
        let platform = self.first_admin().await;
        // Second factors are demanded of nobody, unless a story is about that: most stories last longer than the grace.
        let settings = json!({"reauthentication": {"window_minutes": 60}, "mfa": {"required_from": "nobody"}});
        platform.patch("/v1/settings", settings).await.expect(200);
        let a = self.tenant(&platform, CANARY).await;
        let b = self.tenant(&platform, OTHER).await;
        let suspended = platform.get(&format!("/v1/accounts?email=suspended.{OTHER}@example.com")).await.expect(200);
        let suspended = suspended.id_at("/items/0/id");
        platform.post(&format!("/v1/accounts/{suspended}/block"), json!({"reason": "Reported"})).await.expect(200);
        let closed = platform.post("/v1/organizations", json!({"name": "Closed"})).await.expect(201).id_at("/id");
        let inside = self.enter(&platform, closed).await;
        inside.delete(&format!("/v1/organizations/{closed}")).await.expect(204);
        Cast { platform, a, b, suspended, closed }
    }

    async fn first_admin(&self) -> Person {
        let first = json!({
            "token": self.server.setup_token().await, "email": "platform@example.com", "name": "Platform",
            "password": PASSWORD, "token_delivery": "body",
        });
        let answer = self.server.nobody().post("/v1/setup", first).await.expect(201);
        Person::signed_in(self.server.nobody(), &answer, "freehold-it/platform")
    }

    /// A second session of the administrator's, in an organisation.
    async fn enter(&self, platform: &Person, organization: Uuid) -> Actor {
        let sign_in = json!({"email": platform.email, "password": PASSWORD, "token_delivery": "body"});
        let answer = self.server.nobody().post("/v1/sessions", sign_in).await.expect(201);
        let second = self.server.bearer(answer.text_at("/access_token"));
        second.post("/v1/session/organization", json!({"organization_id": organization})).await.expect(200);
        second
    }

    async fn tenant(&self, platform: &Person, word: &str) -> Tenant {
        let name = json!({"name": format!("Works of {word}"), "slug": format!("{word}-works")});
        let id = platform.post("/v1/organizations", name).await.expect(201).id_at("/id");
        let founder = self.enter(platform, id).await;
        let scene = Scene { builder: self, id, word };
        let owner = scene.join(&founder, "owner", "owner").await;
        // The platform's administrator leaves: from now on they have no access here.
        let own = founder.get("/v1/me").await.expect(200).id_at("/member_id");
        founder.delete(&format!("/v1/organizations/{id}/members/{own}")).await.expect(204);

        let admin = scene.join(&owner, "admin", "admin").await;
        let manager = scene.join(&owner, "manager", "manager").await;
        let member = scene.join(&owner, "member", "member").await;
        let auditor = scene.join(&owner, "auditor", "auditor").await;
        let subject = scene.join(&owner, "subject", "member").await;
        let blocked = scene.join(&owner, "blocked", "member").await;
        let guest = scene.join(&owner, "guest", "member").await;
        scene.join(&owner, "suspended", "member").await;
        let block = json!({"status": "blocked"});
        owner.patch(&scene.path(&format!("members/{}", blocked.membership)), block).await.expect(200);
        owner.delete(&scene.path(&format!("members/{}", guest.membership))).await.expect(204);
        let guest_token = scene.invite(&owner, "guest", "member").await.token;
        let management = format!("/v1/accounts/{}/manager", subject.account);
        let manage = platform.request(Method::PUT, &management).json(&json!({"organization_id": id}));
        manage.send().await.expect(200);
        let alert_rule = scene.alert_rule(&owner).await;
        let team = scene.team(&owner, &subject).await;
        let custom_role = scene.custom_role(&owner).await;
        let (service, api_key, program) = scene.service(&owner).await;
        let (desk, site) = scene.attributes(&owner, &subject).await;
        let pending = scene.invite_into(&owner, "pending", "member", &[team]).await;
        let revoked = scene.invite(&owner, "revoked", "member").await;
        owner.delete(&scene.path(&format!("invitations/{}", revoked.id))).await.expect(204);
        let (import, import_bytes) = scene.import(&admin).await;
        // What holds anyway, so that there are settings and a history of them.
        let settings = json!({"reauthentication": {"window_minutes": 60}});
        owner.patch(&scene.path("settings"), settings).await.expect(200);
        let alert = scene.alert(&owner).await;
        let own = format!("audit?limit=1&actor_id={}", owner.account);
        let entry = owner.get(&scene.path(&own)).await.expect(200).id_at("/items/0/id");
        Tenant {
            id,
            owner,
            admin,
            manager,
            member,
            auditor,
            subject,
            blocked,
            guest,
            guest_token,
            team,
            custom_role,
            service,
            api_key,
            program,
            desk,
            site,
            pending,
            revoked,
            import,
            import_bytes,
            entry,
            alert_rule,
            alert,
        }
    }
}

/// A tenant that is being built.
struct Scene<'a> {
    builder: &'a Builder<'a>,
    id: Uuid,
    word: &'a str,
}

impl Scene<'_> {
    fn path(&self, rest: &str) -> String {
        format!("/v1/organizations/{}/{rest}", self.id)
    }

    async fn team(&self, by: &Actor, with: &Person) -> Uuid {
        let (name, description) = (format!("Team of {}", self.word), format!("Everybody at {}", self.word));
        let body = json!({"name": name, "description": description, "role": "member"});
        let id = by.post(&self.path("teams"), body).await.expect(201).id_at("/id");
        let member = self.path(&format!("teams/{id}/members/{}", with.membership));
        by.request(Method::PUT, &member).send().await.expect(204);
        id
    }

    async fn alert_rule(&self, by: &Actor) -> Uuid {
        let rule = json!({
            "name": format!("Teams of {}", self.word), "event": "team.created", "count": 1, "window_minutes": 60,
            "by": "address", "severity": "medium",
        });
        by.post(&self.path("alert-rules"), rule).await.expect(201).id_at("/id")
    }

    /// What that has raised by now.
    async fn alert(&self, by: &Actor) -> Uuid {
        self.builder.server.look_at_the_record().await;
        by.get(&self.path("alerts")).await.expect(200).id_at("/items/0/id")
    }

    async fn custom_role(&self, by: &Actor) -> Uuid {
        let (name, description) = (format!("Reception of {}", self.word), format!("At the door of {}", self.word));
        let body = json!({"name": name, "description": description, "permissions": ["members_list", "teams_list"]});
        by.post(&self.path("roles"), body).await.expect(201).id_at("/id")
    }

    async fn service(&self, by: &Actor) -> (Uuid, Uuid, Actor) {
        let (name, description) = (format!("Planner of {}", self.word), format!("Plans {}", self.word));
        let body = json!({"name": name, "description": description, "role": "member"});
        let id = by.post(&self.path("service-accounts"), body).await.expect(201).id_at("/id");
        let key = json!({"name": format!("Key of {}", self.word)});
        let made = by.post(&self.path(&format!("service-accounts/{id}/keys")), key).await.expect(201);
        (id, made.id_at("/api_key/id"), self.builder.server.bearer(made.text_at("/key")))
    }

    /// A sealed attribute that says something of a member, and one that says nothing of anybody.
    async fn attributes(&self, by: &Actor, of: &Person) -> (Uuid, Uuid) {
        let everybody = "person_and_managers";
        let desk = json!({
            "key": "desk", "label": format!("Desk at {}", self.word), "description": format!("Where {} sits", self.word),
            "type": "text", "visible_to": everybody, "editable_by": everybody, "sealed_in": "pii", "searchable": true,
        });
        let desk = by.post(&self.path("attributes"), desk).await.expect(201).id_at("/id");
        let site = json!({
            "key": "site", "label": format!("Site of {}", self.word), "type": "choice",
            "options": [format!("North of {}", self.word), "South"], "visible_to": everybody, "editable_by": "managers",
        });
        let site = by.post(&self.path("attributes"), site).await.expect(201).id_at("/id");
        let value = json!({"attributes": {"desk": format!("By the window, {}", self.word)}});
        by.patch(&self.path(&format!("members/{}/attributes", of.membership)), value).await.expect(200);
        (desk, site)
    }

    async fn invite(&self, by: &Actor, name: &str, role: &str) -> Invitation {
        self.invite_into(by, name, role, &[]).await
    }

    async fn invite_into(&self, by: &Actor, name: &str, role: &str, teams: &[Uuid]) -> Invitation {
        let email = format!("{name}.{}@example.com", self.word);
        let message = format!("Welcome to {}", self.word);
        let body = json!({"email": email, "role": role, "team_ids": teams, "message": message});
        let id = by.post(&self.path("invitations"), body).await.expect(201).id_at("/id");
        Invitation { id, token: self.builder.database.mail().take_token(&email).await, email }
    }

    /// A file of which it is known what would become of its lines.
    async fn import(&self, by: &Actor) -> (Uuid, usize) {
        let file = format!("email,name\nfresh.{0}@example.com,Fresh of {0}\nbroken\n", self.word);
        let body = json!({"format": "csv", "content": STANDARD.encode(&file)});
        let id = by.post(&self.path("imports"), body).await.expect(201).id_at("/id");
        by.post(&self.path(&format!("imports/{id}/start")), json!({"dry_run": true})).await.expect(200);
        eventually("the file is checked", PATIENCE, async || {
            let import = by.get(&self.path(&format!("imports/{id}"))).await.expect(200);
            (import.json["state"] == "checked").then_some(())
        })
        .await;
        (id, file.len())
    }

    /// Invites a person, who accepts with a new account.
    async fn join(&self, by: &Actor, name: &str, role: &str) -> Person {
        let token = self.invite(by, name, role).await.token;
        let name = format!("{name} of {}", self.word);
        let body: Value = json!({"token": token, "name": name, "password": PASSWORD, "token_delivery": "body"});
        let agent = format!("freehold-it/{}", self.word);
        let nobody = self.builder.server.nobody().using(&agent);
        let answer = nobody.post("/v1/invitations/accept", body).await.expect(201);
        let mut person = Person::signed_in(&nobody, &answer, &agent);
        person.membership = person.get("/v1/me").await.expect(200).id_at("/member_id");
        person
    }
}
