//! A crowd: organisations and people as many as wanted, written straight into the database as the server would have
//! written them, with one organisation that has a tenth of everybody.

use entity::Pii;
use freehold::{
    config::SecretBytes,
    db::Owner,
    runtime::Ids,
    vault::{Field, Local, Root, Vault, Wrapper},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use crate::installation::{Installation, People, root_key};

const EMAIL: Field<Pii> = Field::new("accounts.email");
const NAME: Field<Pii> = Field::new("accounts.name");
const WORD: Field<Pii> = Field::new("accounts.word");
const INVITED: Field<Pii> = Field::new("invitations.email");
const WAITING_EMAIL: Field<Pii> = Field::new("sign_up_requests.email");
const WAITING_NAME: Field<Pii> = Field::new("sign_up_requests.name");
/// How many items a page has.
const PAGE: usize = 50;
/// How many rows are written at once.
const AT_ONCE: usize = 1_000;
/// How many entries are.
const ENTRIES_AT_ONCE: usize = 50_000;
/// Parts for the months that are past, in the place of the one for what was there before there were parts.
const MONTHS: &str = "DO $$
DECLARE kind text; month timestamptz;
BEGIN
    FOREACH kind IN ARRAY ARRAY['audit_entries', 'audit_words', 'audit_personal'] LOOP
        EXECUTE format('DROP TABLE %I', kind || '_before');
    END LOOP;
    DELETE FROM audit_parts WHERE part = 'before';
    FOR month IN SELECT m FROM generate_series(date_trunc('month', now()) - interval '12 months',
        date_trunc('month', now()) - interval '1 month', interval '1 month') m
    LOOP
        PERFORM audit_make_part(to_char(month, 'YYYY_MM'), month, month + interval '1 month', false);
    END LOOP;
END $$";
/// Entries `$3` to `$4` of `$5`, in the organisations `$1`, one in ten in `$2`.
const RECORD: &str = "
    WITH made AS (
        INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type, actor_id,
            target_type, target_id, metadata)
        SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(hash, 1, 3) || 'a'
                || substr(hash, 5, 15))::uuid,
            place, at, event, severity, CASE WHEN event LIKE 'session%' THEN 'security' ELSE 'normal' END,
            CASE event WHEN 'access.refused' THEN 'refused' ELSE 'success' END, 'account', md5(place::text || n / 10 % 1000)::uuid,
            'membership', md5(place::text || n / 10 % 5000)::uuid, '{}'
        FROM (
            SELECT n, md5(n::text) AS hash,
                CASE n % 10 WHEN 0 THEN $2 ELSE ($1::uuid[])[1 + n % cardinality($1::uuid[])] END AS place,
                date_trunc('month', now()) - make_interval(secs => 365 * 86400 * (1 - n::float8 / $5)) - interval '1 second' AS at,
                (ARRAY['session.created', 'session.ended', 'session.created', 'session.ended', 'member.role_changed',
                    'invitation.created', 'access.refused', 'team.updated', 'member.updated', 'settings.changed'])[1 + n / 10 % 10] AS event,
                CASE WHEN n / 10 % 10000 = 17 THEN 'high' WHEN n / 10 % 20 = 3 THEN 'medium' ELSE 'low' END AS severity
            FROM generate_series($3::bigint, $4::bigint - 1) n
        ) m
        RETURNING id, organization_id, event, target_id, class
    )
    INSERT INTO audit_words (organization_id, word, entry_id, class)
    SELECT organization_id, word, id, class FROM made, unnest(ARRAY[split_part(event, '.', 2), target_id::text]) AS word";
/// So many people have a name that hardly anybody has, a tenth of them in the organisation that is looked at.
const RARE: usize = 1_000;

/// How much there is.
#[derive(Clone, Copy)]
pub struct Size {
    pub organizations: usize,
    pub people: usize,
    /// Entries of the record, over the year that is past.
    pub entries: usize,
}

/// What the lists are of.
pub struct Observed {
    pub team: Uuid,
    pub service: Uuid,
    pub membership: Uuid,
    pub account: Uuid,
    /// Somebody who did something in the record a while ago.
    pub actor: Uuid,
}

/// The vault of an installation.
pub async fn vault(installation: &Installation) -> Vault {
    let owner = Owner::connect(&installation.database_url().expose().parse().unwrap()).await.unwrap();
    let stored = owner.data_keys().await.unwrap();
    owner.finish().await.unwrap();
    let root = Root::new(Wrapper::Local(Local::new(SecretBytes::new(root_key()))), None);
    Vault::unlock(root, &[], &stored).await.unwrap()
}

/// Fills an installation, and says what of it is looked at.
pub async fn fill(installation: &Installation, people: &People, size: Size) -> Observed {
    let vault = vault(installation).await;
    let mut database = PgConnection::connect(installation.database_url().expose()).await.unwrap();
    let home = people.organization.parse().unwrap();
    let mut crowd = Crowd { vault, database: &mut database, home, size };
    let organizations = crowd.organizations(size.organizations).await;
    let home = size.people / 10;
    for some in (0..size.people).collect::<Vec<_>>().chunks(AT_ONCE) {
        crowd.people(some, home, &organizations).await;
    }
    crowd.things(&organizations).await;
    crowd.asked(home).await;
    crowd.record(size.entries, &organizations).await;
    sqlx::query("VACUUM ANALYZE").execute(&mut database).await.unwrap();
    let one = |sql: &'static str| (sql, people.organization.parse::<Uuid>().unwrap());
    let mut ids = Vec::new();
    for (sql, home) in [
        one("SELECT id FROM teams WHERE organization_id = $1 ORDER BY id LIMIT 1"),
        one("SELECT id FROM service_accounts WHERE organization_id = $1 ORDER BY id LIMIT 1"),
        one("SELECT id FROM memberships WHERE organization_id = $1 AND role = 'member' ORDER BY id DESC LIMIT 1"),
        one(
            "SELECT account_id FROM memberships WHERE organization_id = $1 AND role = 'member' ORDER BY id DESC LIMIT 1",
        ),
        one(
            "SELECT actor_id FROM audit_entries WHERE organization_id = $1 AND actor_type = 'account' ORDER BY id LIMIT 1",
        ),
    ] {
        ids.push(sqlx::query_scalar::<_, Uuid>(sql).bind(home).fetch_one(&mut database).await.unwrap());
    }
    Observed { team: ids[0], service: ids[1], membership: ids[2], account: ids[3], actor: ids[4] }
}

struct Crowd<'a> {
    vault: Vault,
    database: &'a mut PgConnection,
    /// The organisation that is looked at.
    home: Uuid,
    size: Size,
}

/// One in so many, or more where that would be less than a page's: pages are compared that are as full.
fn seldom(one_in: usize, of: usize) -> i64 {
    i64::try_from(Ord::clamp(of / PAGE, 1, one_in)).unwrap()
}

impl Crowd<'_> {
    async fn run(&mut self, sql: &str) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *self.database).await.unwrap();
    }

    /// Organisations of which some were deleted a while ago.
    async fn organizations(&mut self, number: usize) -> Vec<Uuid> {
        let ids: Vec<Uuid> = (0..number).map(|_| Ids.next()).collect();
        let add = "INSERT INTO organizations (id, name, slug, kind, status, created_at, updated_at, deleted_at, purge_after)
            SELECT id, 'Works ' || n, 'works-' || n, 'tenant', CASE n % $2 WHEN 0 THEN 'deleted' ELSE 'active' END,
                   now(), now(), CASE n % $2 WHEN 0 THEN now() END, CASE n % $2 WHEN 0 THEN now() + interval '30 days' END
            FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, n)";
        sqlx::query(add).bind(&ids).bind(seldom(50, number)).execute(&mut *self.database).await.unwrap();
        ids
    }

    /// People with what they are found by, a membership and a session each: the first ones in the organisation that is
    /// looked at, the others spread over the rest.
    async fn people(&mut self, numbers: &[usize], home: usize, organizations: &[Uuid]) {
        let mut rows = Rows::default();
        for number in numbers {
            let (id, salt): (Uuid, _) = (Ids.next(), self.vault.salt().unwrap());
            let email = format!("crowd{number}@example.com");
            let given = if number % Ord::max(self.size.people / RARE, 1) == 0 {
                "Zebulon".to_owned()
            } else {
                format!("Given{}", number % 97)
            };
            let name = format!("{given} Family{}", number % 89);
            rows.emails.push(self.vault.seal_for(&salt, EMAIL, id, email.as_bytes()).unwrap().as_bytes().to_vec());
            rows.names.push(self.vault.seal_for(&salt, NAME, id, name.as_bytes()).unwrap().as_bytes().to_vec());
            rows.found(id, "email", self.vault.matches(EMAIL, &email).unwrap().remove(0));
            let words = name.split(' ').map(str::to_lowercase).chain(["example".to_owned(), format!("crowd{number}")]);
            for word in words {
                rows.found(id, "word", self.vault.matches(WORD, &word).unwrap().remove(0));
            }
            rows.salts.push(salt.as_bytes().to_vec());
            rows.ids.push(id);
            rows.numbers.push(i64::try_from(*number).unwrap());
            rows.places.push(if *number < home { self.home } else { organizations[number % organizations.len()] });
        }
        let accounts = "INSERT INTO accounts (id, salt, email, name, state, managed_by, created_at, updated_at)
            SELECT id, salt, email, name, CASE n % 200 WHEN 3 THEN 'blocked' ELSE 'active' END,
                   CASE WHEN n % 20 = 5 AND place = $7 THEN place END, now(), now()
            FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::uuid[])
                AS u (id, salt, email, name, n, place)";
        let accounts = sqlx::query(accounts).bind(&rows.ids).bind(&rows.salts).bind(&rows.emails).bind(&rows.names);
        let accounts = accounts.bind(&rows.numbers).bind(&rows.places).bind(self.home);
        accounts.execute(&mut *self.database).await.unwrap();
        let matches = "INSERT INTO account_matches (account_id, value, field, key_id)
            SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::uuid[]) ON CONFLICT DO NOTHING";
        let matches = sqlx::query(matches).bind(&rows.whose).bind(&rows.values).bind(&rows.fields).bind(&rows.keys);
        matches.execute(&mut *self.database).await.unwrap();
        let memberships =
            "INSERT INTO memberships (id, organization_id, account_id, role, status, joined_at, updated_at)
            SELECT gen_random_uuid(), place, id, CASE n % $4 WHEN 0 THEN 'admin' ELSE 'member' END,
                   CASE n % $5 WHEN 1 THEN 'blocked' ELSE 'active' END, now(), now()
            FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS u (id, place, n)";
        let sessions = "INSERT INTO sessions (id, account_id, active_organization, delivery, factors, authenticated_at,
                reauthenticated_at, created_at, last_seen_at, expires_at)
            SELECT gen_random_uuid(), id, place, 'body', 'pwd', now(), now(), now(), now(), now() + interval '7 days'
            FROM unnest($1::uuid[], $2::uuid[]) AS u (id, place)";
        let query = sqlx::query(memberships).bind(&rows.ids).bind(&rows.places).bind(&rows.numbers);
        // Of the organisation that is looked at.
        let query = query.bind(seldom(500, home)).bind(seldom(300, home));
        query.execute(&mut *self.database).await.unwrap();
        let query = sqlx::query(sessions).bind(&rows.ids).bind(&rows.places);
        query.execute(&mut *self.database).await.unwrap();
    }

    /// Teams, service accounts and keys.
    async fn things(&mut self, organizations: &[Uuid]) {
        let home = self.home;
        let teams = "INSERT INTO teams (id, organization_id, name, name_key, created_at, updated_at)
            SELECT gen_random_uuid(), place, 'Team ' || n, 'team ' || n, now(), now()
            FROM unnest($1::uuid[]) AS u (place), generate_series(1, 3) n
            UNION ALL SELECT gen_random_uuid(), $2, 'Team ' || n, 'team ' || n, now(), now() FROM generate_series(1, 300) n";
        sqlx::query(teams).bind(organizations).bind(home).execute(&mut *self.database).await.unwrap();
        self.run(&format!(
            "INSERT INTO team_members (organization_id, team_id, membership_id)
             SELECT organization_id, (SELECT id FROM teams t WHERE t.organization_id = m.organization_id ORDER BY id LIMIT 1), id
             FROM memberships m WHERE organization_id = '{home}'"
        ))
        .await;
        let services =
            "INSERT INTO service_accounts (id, organization_id, name, name_key, role, state, created_at, updated_at)
            SELECT gen_random_uuid(), place, 'Robot', 'robot', 'member', 'active', now(), now()
            FROM unnest($1::uuid[]) AS u (place)
            UNION ALL SELECT gen_random_uuid(), $2, 'Robot ' || n, 'robot ' || n, 'member', 'active', now(), now()
            FROM generate_series(1, 100) n";
        sqlx::query(services).bind(organizations).bind(home).execute(&mut *self.database).await.unwrap();
        self.run(
            "INSERT INTO api_keys (id, organization_id, service_account_id, name, prefix, key_hash, allowed_networks, created_at)
             SELECT gen_random_uuid(), organization_id, id, 'Key', 'fhk_benchone', sha256((id::text || n)::bytea), '{}', now()
             FROM service_accounts, generate_series(1, 9) n",
        )
        .await;
    }

    /// A record of the year that is past, a tenth of it the home's, with two words for each entry: of its event, and the id
    /// of what it happened to. One in ten was refused, one in ten thousand of the home's is grave. Nothing is personal.
    async fn record(&mut self, number: usize, organizations: &[Uuid]) {
        self.run("SET timezone = 'UTC'").await;
        self.run(MONTHS).await;
        for from in (0..number).step_by(ENTRIES_AT_ONCE) {
            let to = Ord::min(from + ENTRIES_AT_ONCE, number);
            let query = sqlx::query(RECORD).bind(organizations).bind(self.home);
            let query = [from, to, number].into_iter().fold(query, |query, n| query.bind(i64::try_from(n).unwrap()));
            query.execute(&mut *self.database).await.unwrap();
            if to.is_multiple_of(1_000_000) {
                println!("{to} entries");
            }
        }
    }

    /// As many invitations and sign-ups that are over as there are members, and a few that are not.
    async fn asked(&mut self, number: usize) {
        for some in (0..number + 60).collect::<Vec<_>>().chunks(AT_ONCE) {
            let (mut ids, mut emails, mut names, mut mails, mut open) = (vec![], vec![], vec![], vec![], vec![]);
            for at in some {
                let (id, email): (Uuid, _) = (Ids.next(), format!("asked{at}@example.com"));
                emails.push(self.vault.seal(INVITED, id, email.as_bytes()).unwrap().as_bytes().to_vec());
                mails.push(self.vault.seal(WAITING_EMAIL, id, email.as_bytes()).unwrap().as_bytes().to_vec());
                names.push(self.vault.seal(WAITING_NAME, id, b"Somebody").unwrap().as_bytes().to_vec());
                // The open ones are the oldest: what looks for them from the newest on goes through all.
                open.push(*at < 60);
                ids.push(id);
            }
            let invitations = "INSERT INTO invitations (id, organization_id, email, role, token_hash, status, created_at, expires_at)
                SELECT id, $3, email, 'member', sha256(id::text::bytea), CASE WHEN open THEN 'pending' ELSE 'revoked' END,
                       now(), now() + interval '7 days'
                FROM unnest($1::uuid[], $2::bytea[], $4::boolean[]) AS u (id, email, open)";
            let query = sqlx::query(invitations).bind(&ids).bind(&emails).bind(self.home).bind(&open);
            query.execute(&mut *self.database).await.unwrap();
            let requests = "INSERT INTO sign_up_requests
                    (id, organization_id, email, name, address_tag, status, created_at, expires_at, decided_at)
                SELECT id, $3, email, name, sha256(id::text::bytea), CASE WHEN open THEN 'pending' ELSE 'rejected' END,
                       now(), now() + interval '30 days', CASE WHEN NOT open THEN now() END
                FROM unnest($1::uuid[], $2::bytea[], $4::boolean[], $5::bytea[]) AS u (id, email, open, name)";
            let query = sqlx::query(requests).bind(&ids).bind(&mails).bind(self.home).bind(&open).bind(&names);
            query.execute(&mut *self.database).await.unwrap();
        }
    }
}

/// Rows of people, column by column.
#[derive(Default)]
struct Rows {
    ids: Vec<Uuid>,
    salts: Vec<Vec<u8>>,
    emails: Vec<Vec<u8>>,
    names: Vec<Vec<u8>>,
    numbers: Vec<i64>,
    places: Vec<Uuid>,
    whose: Vec<Uuid>,
    fields: Vec<String>,
    values: Vec<Vec<u8>>,
    keys: Vec<Uuid>,
}

impl Rows {
    fn found(&mut self, id: Uuid, field: &str, (key, value): (entity::DataKeyId, entity::Match<Pii>)) {
        self.whose.push(id);
        self.fields.push(field.to_owned());
        self.values.push(value.as_bytes().to_vec());
        self.keys.push(key.into());
    }
}
