//! Where a case is played: a world, and what is the same about every request and answer.

use std::ops::Deref;

use entity::Pii;
use freehold::{authz::Scope, sessions::hash, vault::Field};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    cases::{
        Before, Call, Case, DEAD_RUN, DECLARED, DEVICE, HOLD, JOB, LINK_TOKENS, RESET, ROTATION, RULE, SIGN_UP_TOKEN,
        TRUSTED, case,
    },
    contract::{self, Operation},
    recovering::recovering,
};
use crate::{
    harness::{Actor, Answer, Authenticator, Draft, Login, PASSWORD, PATIENCE, Psql, add_passkey, enrol, eventually},
    world::{Tenant, World},
};

/// A world in which cases are played.
pub struct Stage {
    world: World,
    /// A setup token: a good one, if the platform waits to be set up.
    pub setup_token: String,
    /// The database, as its owner sees it.
    pub psql: tokio::sync::Mutex<Psql>,
    /// A data key that can be destroyed, if a case needs it.
    pub retired_key: Uuid,
    /// A challenge of tenant A's member, if a case needs it.
    pub challenge: String,
    /// The key of the app that tenant A's member is setting up, if a case needs it.
    pub enrolling: Option<String>,
    /// A code that was mailed to tenant A's member, if a case needs one.
    pub mailed_code: String,
    /// The passkey of tenant A's member, and what it is asked, if a case needs it.
    pub passkey: PasskeyOf,
    /// Backup codes of tenant A's member, who has a second factor if there are any.
    codes: std::sync::Mutex<Vec<String>>,
    /// The platform's administrator, in a session that acts in tenant A, if a case needs it.
    acting: Option<Actor>,
}

/// A passkey of somebody, and what it is asked.
#[derive(Default)]
pub struct PasskeyOf {
    /// Its id.
    pub id: Uuid,
    /// What a sign-in by it is bound to.
    pub ceremony: String,
    held: std::sync::Mutex<Option<Authenticator>>,
    adding: Value,
    signing_in: Value,
    answering: Value,
    proving: Value,
}

impl PasskeyOf {
    /// Another passkey.
    pub fn another(&self) -> Value {
        Authenticator::make(&self.adding).1
    }

    fn signed(&self, options: &Value) -> Value {
        let mut held = self.held.lock().unwrap();
        held.get_or_insert_with(|| Authenticator::make(&Value::Null).0).sign(options)
    }

    /// What signs in.
    pub fn signs_in(&self) -> Value {
        self.signed(&self.signing_in)
    }

    /// What answers the challenge.
    pub fn answers(&self) -> Value {
        self.signed(&self.answering)
    }

    /// What proves who is signed in.
    pub fn proves(&self) -> Value {
        self.signed(&self.proving)
    }
}

impl Deref for Stage {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Stage {
    /// Makes a data key that can be destroyed.
    async fn retire_key(&mut self) {
        let key = self.server.app().vault.next("hipaa", self.server.app().clock.now()).await.unwrap();
        self.retired_key = key.id.into();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let add = format!(
            "INSERT INTO data_keys (id, scope, version, state, wrapped, root_key, revision, created_at)
             VALUES ('{}', 'hipaa', {}, 'retired', '\\x{}', '\\x{}', 0, now())",
            key.id,
            key.version,
            hex(&key.wrapped.unwrap()),
            hex(&key.root_key)
        );
        self.psql.get_mut().run(&add).await.unwrap();
    }

    /// Each tenant's product declares a type of event.
    pub async fn declare(&self) {
        let add = format!(
            "INSERT INTO product_event_types (id, organization_id, code, title, meaning, severity, class, target_type,
                 details, created_at, updated_at)
             SELECT gen_random_uuid(), id, '{DECLARED}', 'Invoice paid', 'Somebody paid.', 'low', 'normal', 'invoice',
                    '[{{\"name\": \"amount\", \"meaning\": \"In cents.\", \"personal\": false}}]', now(), now()
             FROM organizations"
        );
        self.psql.lock().await.run(&add).await.unwrap();
    }

    /// A stage for checks that change nothing.
    pub async fn open() -> Self {
        Self::configured(&[]).await
    }

    /// The same on a server with more settings, by the names of their variables.
    pub async fn configured(settings: &[(&str, &str)]) -> Self {
        let world = World::configured(settings).await;
        let psql = world.database.psql(Login::Owner).await.into();
        Self {
            world,
            psql,
            setup_token: "fhs_not-a-token".to_owned(),
            retired_key: Uuid::nil(),
            challenge: "fhc_not-a-challenge".to_owned(),
            enrolling: None,
            mailed_code: "000000".to_owned(),
            passkey: PasskeyOf { ceremony: "fhw_not-a-ceremony".to_owned(), ..PasskeyOf::default() },
            codes: std::sync::Mutex::default(),
            acting: None,
        }
    }

    /// A stage on which a case can succeed.
    pub async fn for_case(case: &Case) -> Self {
        Self::open().await.prepared(case).await
    }

    /// The same stage, on which a case can succeed.
    pub async fn prepared(self, case: &Case) -> Self {
        let mut stage = self;
        match case.before {
            Before::Nothing => {}
            Before::SecondFactor
            | Before::Passkey
            | Before::Enrolling
            | Before::EmailCodes
            | Before::EmailCodesBesideAnApp
            | Before::EmailCodeSent
            | Before::TrustedDevice
            | Before::Challenged
            | Before::Recovering => stage.factors(case.before).await,
            Before::SigningUp => stage.sign_up().await,
            Before::Unproven => stage.forget_proofs().await,
            Before::Acting => stage.acting = Some(stage.world.acting_in(stage.world.a.id).await),
            Before::NoAdministrator => {
                let platform = "organization_id = platform_organization()";
                stage.psql.get_mut().run(&format!("DELETE FROM memberships WHERE {platform}")).await.unwrap();
                stage.setup_token = stage.world.server.setup_token().await;
            }
            Before::PausedJob => {
                let pause = format!("INSERT INTO job_pauses (job, paused_at) VALUES ('{JOB}', now())");
                stage.psql.get_mut().run(&pause).await.unwrap();
            }
            Before::Reset => {
                let add = format!(
                    "INSERT INTO password_resets (account_id, token_hash, created_at, expires_at)
                     VALUES ('{}', sha256('{RESET}'), now(), now() + interval '30 minutes')",
                    stage.world.a.member.account
                );
                stage.psql.get_mut().run(&add).await.unwrap();
            }
            Before::RetiredKey => stage.retire_key().await,
            Before::PausedImport => {
                stage.psql.get_mut().run("UPDATE imports SET state = 'importing', paused = true").await.unwrap();
            }
            Before::AcknowledgedAlert | Before::MutedAlert | Before::MutedRule => stage.alert(case.before).await,
            Before::RunningImport => {
                let later = "now() + interval '1 year'";
                let running = format!("UPDATE imports SET state = 'importing', available_at = {later}");
                stage.psql.get_mut().run(&running).await.unwrap();
            }
            Before::Held => {
                let add = format!(
                    "INSERT INTO legal_holds (id, organization_id, placed_at) VALUES ('{HOLD}', gen_random_uuid(), now())"
                );
                stage.psql.get_mut().run(&add).await.unwrap();
            }
            Before::Declared => stage.declare().await,
            Before::Rotation => {
                let add = format!(
                    "INSERT INTO key_rotations (id, scope, from_key, to_key, step, paused, rows_total, started_at, updated_at)
                     SELECT '{ROTATION}', scope, id, id, 'migrating', true, 100, now(), now()
                     FROM data_keys WHERE scope = 'hipaa'"
                );
                stage.psql.get_mut().run(&add).await.unwrap();
            }
            Before::KnownDevice => {
                let add = format!(
                    "INSERT INTO known_devices (id, account_id, token_hash, created_at, last_seen_at, expires_at)
                     VALUES ('{DEVICE}', '{}', sha256('device'), now(), now(), now() + interval '1 day')",
                    stage.world.a.member.account
                );
                stage.psql.get_mut().run(&add).await.unwrap();
            }
            Before::DisabledService => {
                stage.psql.get_mut().run("UPDATE service_accounts SET state = 'disabled'").await.unwrap();
            }
            Before::Locked => {
                let lock = format!(
                    "INSERT INTO guesses (subject, kind, account_id, failures, locked_until, announced, forget_at)
                     VALUES (sha256('subject'), 'identifier', '{}', 5, now() + interval '1 hour', true, now() + interval '1 day')",
                    stage.world.a.subject.account
                );
                stage.psql.get_mut().run(&lock).await.unwrap();
            }
            Before::Blocked => {
                let block = format!(
                    "UPDATE accounts SET state = 'blocked', blocked_by = '{}' WHERE id = '{}'",
                    stage.world.a.id, stage.world.a.subject.account
                );
                stage.psql.get_mut().run(&block).await.unwrap();
            }
            Before::DeadRun => {
                let run = format!(
                    "INSERT INTO job_runs (id, job, fire_time, cause, state, created_at, available_at, finished_at, error)
                     VALUES ('{DEAD_RUN}', '{JOB}', now(), 'schedule', 'dead', now(), now(), now(), 'broken')"
                );
                stage.psql.get_mut().run(&run).await.unwrap();
            }
        }
        stage
    }

    /// Has those who set the stage prove who they are: a world's sessions are as old as the first world, after a while too
    /// old for what demands a recent authentication.
    async fn prove(&self) {
        for person in [&self.world.a.member, &self.world.platform] {
            person.post("/v1/session/reauthenticate", json!({"password": PASSWORD})).await.expect(200);
        }
    }

    /// Gives tenant A's member second factors, or what waits for one.
    async fn factors(&mut self, before: Before) {
        self.prove().await;
        match before {
            Before::SecondFactor => self.enrol().await,
            Before::Passkey => self.add_passkey().await,
            Before::Enrolling => {
                let begun = self.world.a.member.post_nothing("/v1/me/second-factors/totp").await.expect(200);
                self.enrolling = Some(begun.text_at("/secret").to_owned());
            }
            Before::EmailCodes => self.mail_codes().await,
            Before::EmailCodesBesideAnApp => {
                self.enrol().await;
                self.mail_codes().await;
            }
            Before::EmailCodeSent => {
                let member = &self.world.a.member;
                member.post_nothing("/v1/me/second-factors/email-codes").await.expect(200);
                let text = eventually("the code arrives", PATIENCE, async || {
                    self.world.database.mail().texts(&member.email, "Your code").await.pop()
                })
                .await;
                self.mailed_code = text.split("asked for it: ").nth(1).unwrap()[..6].to_owned();
            }
            Before::TrustedDevice => {
                let trust = format!(
                    "INSERT INTO trusted_devices (id, account_id, token_hash, weak, created_at, last_used_at, expires_at)
                     VALUES ('{TRUSTED}', '{}', sha256('x'), false, now(), now(), now() + interval '14 days')",
                    self.world.a.member.account
                );
                self.psql.get_mut().run(&trust).await.unwrap();
            }
            Before::Challenged => self.challenge().await,
            Before::Recovering => {
                self.challenge().await;
                recovering(&self.world, self.psql.get_mut()).await;
            }
            _ => {}
        }
    }

    /// Has codes mailed to tenant A's member, who gives the right password.
    async fn mail_codes(&mut self) {
        let on = format!(
            "INSERT INTO email_codes (account_id, enabled_at, changed_at) VALUES ('{}', now(), now())",
            self.world.a.member.account
        );
        self.psql.get_mut().run(&on).await.unwrap();
        self.ask().await;
    }

    /// Tenant A's member gives the right password, and is asked for a second factor.
    async fn ask(&mut self) {
        let email = self.world.a.member.email.clone();
        let sign_in = json!({"email": email, "password": PASSWORD, "token_delivery": "body"});
        let asked = self.world.server.nobody().post("/v1/sessions", sign_in).await.expect(200);
        self.challenge = asked.text_at("/challenge").to_owned();
    }

    /// Gives tenant A's member a passkey, and has them asked for it.
    async fn add_passkey(&mut self) {
        let (member, nobody) = (&self.world.a.member, self.world.server.nobody());
        let (held, id, codes) = add_passkey(member, "Notebook").await;
        let adding = member.post_nothing("/v1/me/passkeys/options").await.expect(200);
        let proving = member.post_nothing("/v1/session/reauthenticate/passkey/options").await.expect(200);
        let delivery = json!({"token_delivery": "body"});
        let signing_in = nobody.post("/v1/sessions/passkey/options", delivery).await.expect(200);
        let sign_in = json!({"email": member.email, "password": PASSWORD, "token_delivery": "body"});
        let asked = nobody.post("/v1/sessions", sign_in).await.expect(200);
        let challenge = json!({"challenge": asked.text_at("/challenge")});
        let answering = nobody.post("/v1/sessions/second-factor/passkey/options", challenge).await.expect(200);
        self.challenge = asked.text_at("/challenge").to_owned();
        self.codes = std::sync::Mutex::new(codes);
        self.passkey = PasskeyOf {
            id,
            ceremony: signing_in.text_at("/ceremony").to_owned(),
            held: std::sync::Mutex::new(Some(held)),
            adding: adding.json["options"].clone(),
            signing_in: signing_in.json["options"].clone(),
            answering: answering.json["options"].clone(),
            proving: proving.json["options"].clone(),
        };
    }

    /// Gives people second factors, behind the server's back.
    async fn enrol(&mut self) {
        let (a, b) = (&self.world.a, &self.world.b);
        for person in [&b.subject, &b.member, &a.subject, &a.member] {
            let codes = enrol(&self.world.server, person.account).await.1;
            *self.codes.lock().unwrap() = codes;
        }
        // Whoever changes their factors has used one in this session.
        a.member.post("/v1/session/reauthenticate", self.proof()).await.expect(200);
    }

    async fn challenge(&mut self) {
        self.enrol().await;
        self.ask().await;
    }

    /// A backup code of tenant A's member that was not used.
    pub fn backup_code(&self) -> String {
        self.codes.lock().unwrap().pop().unwrap_or_else(|| "0000-0000-0000".to_owned())
    }

    /// What whoever makes an operation's request proves with who they are.
    pub fn proof(&self) -> Value {
        let password = json!({"password": PASSWORD});
        match self.codes.lock().unwrap().pop() {
            Some(code) => json!({"password": PASSWORD, "second_factor": {"method": "backup_code", "code": code}}),
            None => password,
        }
    }

    async fn alert(&mut self, before: Before) {
        let tomorrow = "now() + interval '1 day'";
        let sql = match before {
            Before::AcknowledgedAlert => "UPDATE alerts SET state = 'acknowledged', decided_at = now()".to_owned(),
            Before::MutedAlert => format!("UPDATE alerts SET muted_until = {tomorrow}"),
            _ => format!(
                "INSERT INTO alert_mutes (organization_id, rule, muted_until, muted_at)
                 VALUES ('{}', '{RULE}', {tomorrow}, now())",
                self.world.a.id
            ),
        };
        self.psql.get_mut().run(&sql).await.unwrap();
    }

    /// Who waits in a tenant after [`Before::SigningUp`].
    pub fn waiting(&self, tenant: &Tenant) -> Uuid {
        Uuid::from_u128(tenant.id.as_u128() ^ 0xff)
    }

    async fn sign_up(&mut self) {
        self.prove().await;
        self.world.platform.patch("/v1/settings", json!({"sign_up": {"mode": "open"}})).await.expect(200);
        let vault = self.world.server.app().vault.clone();
        let sealed =
            |field, id: Uuid, text: &str| hex(vault.seal::<Pii>(field, id, text.as_bytes()).unwrap().as_bytes());
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00aa);
        let email = sealed(Field::new("sign_ups.email"), id, "new@example.com");
        let add = format!(
            "INSERT INTO sign_ups (id, email, token_hash, address_tag, client_tag, created_at, expires_at)
             VALUES ('{id}', {email}, {}, {tag}, {tag}, now(), now() + interval '1 day')",
            hex(&hash(SIGN_UP_TOKEN)),
            tag = hex(&[7; 32]),
        );
        self.psql.get_mut().run(&add).await.unwrap();
        for tenant in [&self.world.a, &self.world.b] {
            let id = self.waiting(tenant);
            let email = sealed(Field::new("sign_up_requests.email"), id, &format!("late.{}", tenant.pending.email));
            let name = sealed(Field::new("sign_up_requests.name"), id, &format!("Late {}", tenant.pending.email));
            let add = format!(
                "INSERT INTO sign_up_requests
                     (id, organization_id, email, name, address_tag, password_hash, status, created_at, expires_at)
                 VALUES ('{id}', '{}', {email}, {name}, {}, '$argon2id$', 'pending', now(), now() + interval '30 days')",
                tenant.id,
                hex(&[8; 32]),
            );
            self.psql.get_mut().run(&add).await.unwrap();
        }
    }

    async fn forget_proofs(&mut self) {
        let vault = self.world.server.app().vault.clone();
        for member in [&self.world.a.member, &self.world.b.member] {
            let forget = format!("UPDATE accounts SET email_verified_at = NULL WHERE id = '{}'", member.account);
            self.psql.get_mut().run(&forget).await.unwrap();
            for (purpose, prefix) in LINK_TOKENS {
                let id: Uuid = freehold::runtime::Ids.next();
                let email = if purpose == "change" { format!("next.{}", member.email) } else { member.email.clone() };
                let field: Field<Pii> = Field::new("email_links.email");
                let add = format!(
                    "INSERT INTO email_links (id, account_id, purpose, email, token_hash, created_at, expires_at)
                     VALUES ('{id}', '{}', '{purpose}', {}, {}, now(), now() + interval '1 day')",
                    member.account,
                    hex(vault.seal(field, id, email.as_bytes()).unwrap().as_bytes()),
                    hex(&hash(&format!("{prefix}{}", member.account))),
                );
                self.psql.get_mut().run(&add).await.unwrap();
            }
        }
    }

    /// Ends it.
    pub async fn close(self) {
        drop(self.psql);
        self.world.close().await;
    }

    /// The valid request of an operation, about the things of a tenant.
    pub fn call(&self, operation: &Operation, tenant: &Tenant) -> Call {
        (case(&operation.id).call)(self, tenant)
    }

    /// Who may just make it.
    pub fn rightful(&self, operation: &Operation, tenant: &Tenant) -> Actor {
        if let (Before::Acting, Some(acting)) = (case(&operation.id).before, &self.acting) {
            return acting.clone();
        }
        if let Some(by) = case(&operation.id).by {
            return by(tenant).deref().clone();
        }
        let person = match operation.policy.scope {
            Scope::Public => return self.server.nobody().clone(),
            Scope::Own => &tenant.member,
            Scope::Platform => &self.platform,
            Scope::Service => return tenant.program.clone(),
            Scope::Organization | Scope::Current => {
                tenant.with_role(operation.policy.minimum_role.as_deref().unwrap_or("member"))
            }
        };
        person.deref().clone()
    }

    /// Sends a request as it is.
    pub async fn send(&self, operation: &Operation, actor: &Actor, call: &Call) -> Answer {
        answered(operation, draft(operation, actor, call, "")).await
    }

    /// Asks whether the guard lets somebody through, and changes nothing: a parameter that no operation knows is a
    /// fault of the request, which only somebody who may make the request is told.
    pub async fn admits(&self, operation: &Operation, actor: &Actor, call: &Call) -> Answer {
        answered(operation, draft(operation, actor, call, "?no_such_parameter=1")).await
    }

    /// What lies in every table, in a line a table. Only the record of refused calls and the counts of decisions, which
    /// are written now and then, are left out with what is personal of it, and that the servers say that they are there.
    pub async fn everything(&self) -> String {
        self.digest("'organization_id' = 'organization_id'", "true").await
    }

    /// The same of one organisation.
    pub async fn everything_of(&self, organization: Uuid) -> String {
        let rows = format!("'{organization}' IN (row->>'organization_id', row->>'active_organization', row->>'id')");
        self.digest("column_name IN ('organization_id', 'active_organization', 'slug')", &rows).await
    }

    async fn digest(&self, tables: &str, rows: &str) -> String {
        let mut psql = self.psql.lock().await;
        let names = format!(
            "SELECT DISTINCT table_name FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name NOT IN ('audit_words', 'decision_counts', 'error_counts', 'instances', 'seaql_migrations')
             AND NOT (SELECT relispartition FROM pg_class WHERE oid = table_name::regclass) AND {tables}"
        );
        let mut names: Vec<_> = psql.rows(&names).await;
        names.sort_by_key(|row| row["table_name"].to_string());
        assert!(names.len() >= 4, "the tables were not found: {names:?}");
        let digests = names.iter().map(|row| {
            let name = row["table_name"].as_str().unwrap();
            format!(
                "SELECT '{name} ' || count(*) || ' ' || md5(coalesce(string_agg(row::text, ',' ORDER BY row::text), '')) AS line
                 FROM (SELECT to_jsonb(t) AS row FROM {name} t) rows
                 WHERE coalesce(row->>'event', '') NOT IN ('access.refused', 'invitation.token_refused')
                   AND ('{name}' <> 'audit_personal' OR row->>'id' NOT IN (
                       SELECT id::text FROM audit_entries WHERE event IN ('access.refused', 'invitation.token_refused')))
                   AND {rows}"
            )
        });
        let all = digests.collect::<Vec<_>>().join(" UNION ALL ");
        psql.text(&format!("SELECT string_agg(line, E'\\n' ORDER BY line) FROM ({all}) lines")).await
    }
}

/// Bytes as PostgreSQL reads them.
pub fn hex(bytes: &[u8]) -> String {
    format!("'\\x{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// The request of a call, with something after its path.
pub fn draft(operation: &Operation, actor: &Actor, call: &Call, after: &str) -> Draft {
    let mut draft = actor.request(operation.method.clone(), &format!("{}{after}", path(operation, call)));
    if operation.upgrades() {
        let handshake = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        draft = handshake.into_iter().fold(draft, |draft, (name, value)| draft.header(name, value));
    }
    match &call.body {
        Some(body) => draft.json(body),
        None => draft,
    }
}

/// The path of a call.
pub fn path(operation: &Operation, call: &Call) -> String {
    let filled = call
        .ids
        .iter()
        .map(|(name, id)| (name, id.to_string()))
        .chain(call.names.iter().map(|(name, text)| (name, (*text).to_owned())))
        .fold(operation.path.clone(), |path, (name, text)| path.replace(&format!("{{{name}}}"), &text));
    assert!(!filled.contains('{'), "{}: its Case names too few ids: {filled}", operation.id);
    filled
}

/// Sends a request and holds the answer to what is true of every answer.
pub async fn answered(operation: &Operation, draft: Draft) -> Answer {
    let answer = draft.send().await;
    if let Err(fault) = dressed(operation, &answer) {
        panic!("{}: {fault}: {answer}", operation.id);
    }
    answer
}

/// What may be kept by clients, and for how long; everything else says `no-store`.
const CACHED: [(&str, &str); 2] = [("jwks_get", "public, max-age=300"), ("signature_keys_get", "public, max-age=300")];

/// Whether an answer carries what every answer carries (NET-2, NET-8, NET-10).
fn dressed(operation: &Operation, answer: &Answer) -> Result<(), String> {
    let fixed = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("x-xss-protection", "0"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        // Over plain HTTP it must not be there (RFC 6797, 7.2).
        ("strict-transport-security", ""),
    ];
    let cached = CACHED.iter().find(|(name, _)| *name == operation.id && answer.status == 200);
    let cache = ("cache-control", cached.map_or("no-store", |(_, value)| value));
    for (name, value) in fixed.into_iter().chain([cache]) {
        if answer.header(name) != value {
            return Err(format!("{name} is {:?} and not {value:?}", answer.header(name)));
        }
    }
    for name in ["x-request-id", "traceparent", "permissions-policy"] {
        if answer.header(name).is_empty() {
            return Err(format!("there is no {name}"));
        }
    }
    if answer.status >= 400 { contract::is_problem(answer) } else { Ok(()) }
}
