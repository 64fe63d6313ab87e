//! Why a decision comes out as it does, for somebody, an operation and an object, now.
//!
//! What decides is what the guard asks: the table, and [`admission`] of its answer. The rest is put beside it in words:
//! where the roles come from, by which rule and way one of them has the operation, who else would have it, and what else
//! stands in the way of a call.

use entity::{AccountId, ApiKeyId, ServiceAccountId, api_keys};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};

use super::holdings::{self, Holding, Standing, Who};
use crate::{
    app::App,
    audit::{self, Filter, Kind},
    authz::{Decision, Grant, Object, OperationPolicy, Party, Reauthentication, Scope, admission},
    db::Tx,
    error::{Code, Error, Fault, Result},
    policies::{self, InForce},
    runtime::Timestamp,
    tenancy::service_accounts::MOST_KEYS,
    types::{Caller, PageRequest, Role},
};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// About whom.
    pub about: About,
    /// Which operation; a refusal names its own.
    pub operation: Option<String>,
    /// Whose object.
    pub object: Object,
}

/// About whom something is asked.
#[derive(Clone, Debug)]
pub enum About {
    /// A person.
    Person(AccountId),
    /// A service account.
    Service(ServiceAccountId),
    /// Whoever was refused in this request.
    Request(String),
}

/// Why a decision comes out as it does.
#[derive(Clone)]
pub struct Explanation {
    /// Why the call is refused; nothing when it is let through.
    pub refusal: Option<Code>,
    /// The operation's line of the registry.
    pub operation: OperationPolicy,
    /// Who, and what they hold.
    pub holding: Holding,
    /// Whose object.
    pub object: Object,
    /// The roles that count, the highest first.
    pub roles: Vec<Role>,
    /// By which rule, and way, one of them has the operation.
    pub grant: Option<Grant>,
    /// The roles of the installation that would have it.
    pub would: Vec<String>,
    /// What else a call has to pass.
    pub gates: Vec<Gate>,
    /// The revision of the policy.
    pub revision: InForce,
    /// The refusal that was asked about.
    pub recorded: Option<Recorded>,
}

/// A refusal in the record.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The entry.
    pub entry: entity::AuditEntryId,
    /// When.
    pub at: Timestamp,
    /// The code.
    pub code: String,
    /// How often in those two seconds.
    pub count: i64,
}

/// What a call has to pass beside the policy's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The account, membership or service account must not be blocked.
    Standing(Standing),
    /// The person must have proven who they are within so many seconds.
    Reauthentication(u64),
    /// The sign-in must not be older than so many minutes.
    SignInAge(u32),
    /// A platform administrator's access ends then.
    Acting(Timestamp),
    /// A key of the service account, and what it is bound to.
    Key(KeyGate),
}

/// A key of a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGate {
    /// The key.
    pub id: ApiKeyId,
    /// Whether its time is over.
    pub expired: bool,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// From where it may be used; from everywhere when there is none.
    pub networks: Vec<String>,
}

/// Says why a decision comes out as it does in the caller's organisation.
///
/// # Errors
/// `Invalid` for somebody, a request or an operation that there is none of here.
pub async fn explain(app: &App, caller: &Caller, question: Question) -> Result<Explanation> {
    let tx = app.db.read(caller).await?;
    let Question { about, operation, object } = question;
    let (holding, operation, recorded) = match about {
        About::Person(id) => (person(app, &tx, id).await?.ok_or_else(unknown_account)?, operation, None),
        About::Service(id) => {
            let found = holdings::of_services(app, &tx, &[id]).await?.remove(&id);
            let unknown =
                || Error::field("/service_account_id", "unknown_service_account", "is not one of this organisation's");
            (found.ok_or_else(unknown)?, operation, None)
        }
        About::Request(id) => {
            let (who, of_request, recorded) = refused(&tx, &id).await?;
            let holding = match who {
                Who::Person(id, _) => person(app, &tx, id).await?.unwrap_or_else(|| holdings::nobody(id)),
                Who::Service(id) => {
                    holdings::of_services(app, &tx, &[id]).await?.remove(&id).ok_or_else(unknown_request)?
                }
            };
            (holding, operation.or(Some(of_request)), Some(recorded))
        }
    };
    let unknown = || Error::field("/operation", "unknown_operation", "is no operation");
    let operation = operation.ok_or_else(|| Error::field("/operation", "required", "says what is asked about"))?;
    let (at, row) = app.policy.registry().find(&operation).ok_or_else(unknown)?;
    if object == Object::Own && row.ownership.is_none() {
        return Err(Error::field("/object", "no_own_rule", "can't be their own: the operation has no rule for that"));
    }
    let roles = holding.roles(app.policy.hierarchy());
    let gates = gates(app, &tx, &holding, row).await?;
    let party = holding.party(&tx);
    let decision = app.policy.decide_any(&roles, &holding.permissions(), at);
    let by_role = roles.iter().find_map(|role| app.policy.grant(role.as_str(), at, object));
    let custom = || holding.custom_grants().find(|(custom, _)| custom.permissions.contains(at));
    let grant = by_role.or_else(|| custom().map(|(custom, _)| Grant::by_custom_role(&custom.name)));
    Ok(Explanation {
        refusal: refusal(row, party, &gates, (decision, object)),
        operation: row.clone(),
        grant,
        would: would(app, party, at, row, object),
        gates,
        revision: policies::in_force(app, &tx).await?,
        recorded,
        object,
        roles,
        holding,
    })
}

/// In the guard's order: who they are, where they are, what the policy says.
fn refusal(row: &OperationPolicy, party: Party, gates: &[Gate], decided: (Decision, Object)) -> Option<Code> {
    if row.scope == Scope::Public {
        return None;
    }
    let keys = gates.iter().filter_map(|gate| if let Gate::Key(key) = gate { Some(key) } else { None });
    if party == Party::Service && !keys.into_iter().any(|key| !key.expired) {
        return Some(Code::ApiKeyNotValid);
    }
    let standing =
        gates.iter().find_map(|gate| if let Gate::Standing(standing) = gate { Some(*standing) } else { None });
    match (standing, row.scope) {
        (Some(Standing::AccountBlocked), _) => return Some(Code::SessionEnded),
        (Some(Standing::ServiceDisabled), _) => return Some(Code::ApiKeyNotValid),
        (Some(Standing::NoMember | Standing::MembershipBlocked), Scope::Organization) => return Some(Code::NotFound),
        (Some(Standing::NoMember | Standing::MembershipBlocked), Scope::Current) => {
            return Some(Code::OrganizationNotActive);
        }
        (Some(Standing::NoMember | Standing::MembershipBlocked | Standing::Active) | None, _) => {}
    }
    admission(row, party, decided.0, decided.1).err()
}

/// The roles of the organisation that would be let through.
fn would(app: &App, party: Party, at: usize, row: &OperationPolicy, object: Object) -> Vec<String> {
    let roles = app.policy.hierarchy().rows().iter().filter(|role| match party {
        Party::PlatformPerson => true,
        Party::Person | Party::Service => role.scope == "organization",
    });
    let admitted = roles.filter(|role| admission(row, party, app.policy.decide(&role.name, at), object).is_ok());
    admitted.map(|role| role.name.clone()).collect()
}

async fn gates(app: &App, tx: &Tx, holding: &Holding, row: &OperationPolicy) -> Result<Vec<Gate>> {
    let mut gates = Vec::new();
    if holding.standing != Standing::Active {
        gates.push(Gate::Standing(holding.standing));
    }
    gates.extend(holding.acting_until.map(Gate::Acting));
    match holding.who {
        Who::Service(id) => gates.extend(keys(tx, id).await?.into_iter().map(Gate::Key)),
        Who::Person(..) if row.scope != Scope::Public => {
            let settings = app.settings.effective_in(tx).await?;
            gates.push(Gate::SignInAge(settings.sessions.lifetime_minutes));
            if row.reauthentication == Reauthentication::Required {
                let window =
                    app.sessions.reauthentication_window(tx.caller().organization(), &tx.caller().origin).await?;
                gates.push(Gate::Reauthentication(window.as_secs()));
            }
        }
        Who::Person(..) => {}
    }
    Ok(gates)
}

/// The keys that are not revoked: ten at most.
async fn keys(tx: &Tx, account: ServiceAccountId) -> Result<Vec<KeyGate>> {
    let query = tx.find::<api_keys::Entity>().filter(api_keys::Column::ServiceAccountId.eq(account));
    let rows = tx.all(query.filter(api_keys::Column::RevokedAt.is_null()).limit(MOST_KEYS)).await?;
    let now = tx.caller().now();
    let gate = |row: api_keys::Model| KeyGate {
        id: row.id,
        expired: row.expires_at.is_some_and(|end| end <= now),
        expires_at: row.expires_at,
        networks: row.allowed_networks,
    };
    Ok(rows.into_iter().map(gate).collect())
}

async fn person(app: &App, tx: &Tx, id: AccountId) -> Result<Option<Holding>> {
    match holdings::of_people(app, tx, &[id]).await?.remove(&id) {
        Some(holding) => Ok(Some(holding)),
        None => holdings::of_acting(tx, id).await,
    }
}

fn unknown_account() -> Error {
    Error::field("/account_id", "unknown_account", "is nobody who belongs to this organisation or acts in it")
}

fn unknown_request() -> Error {
    let detail = "is in no refusal of this organisation's record; of several alike in two seconds it names the first";
    Error::Invalid(vec![Fault::body("/request_id", "unknown_request", detail)])
}

/// Who was refused what in a request, as the organisation's record has it.
async fn refused(tx: &Tx, request: &str) -> Result<(Who, String, Recorded)> {
    let event = Some(Kind::AccessRefused.code().to_owned());
    let filter = Filter { event, text: Some(request.to_owned()), ..Filter::default() };
    let page = audit::rows(tx, &filter, PageRequest { limit: PageRequest::MOST, after: None }).await;
    // A text without words is no request's id.
    let page = page.map_err(|error| if matches!(error, Error::Invalid(_)) { unknown_request() } else { error })?;
    let entry = page.items.into_iter().find(|entry| entry.request_id.as_deref() == Some(request));
    let entry = entry.ok_or_else(unknown_request)?;
    let text = |name: &str| entry.metadata.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let who = match (entry.actor_type.as_str(), entry.actor_id) {
        ("account", Some(id)) => Who::Person(AccountId(id), None),
        ("service", Some(id)) => Who::Service(ServiceAccountId(id)),
        _ => return Err(unknown_request()),
    };
    let recorded = Recorded {
        entry: entry.id,
        at: entry.occurred_at,
        code: text("code").unwrap_or_default(),
        count: entry.metadata.get("count").and_then(serde_json::Value::as_i64).unwrap_or(1),
    };
    Ok((who, text("operation").ok_or_else(unknown_request)?, recorded))
}
