//! The one guard. Every operation of the contract is mounted inside it, and it lets nobody through without a line in
//! the policy registry (AZ-4).
//!
//! In this order: who calls, whether they call too often, whether the call comes from where it should, whether the policy
//! allows it, whether they have used the second factor that their role demands, whether they have proven recently enough
//! who they are, and only then the body. The operation gets a [`Caller`],
//! which nothing else makes from a request.

mod authority;
mod counting;
mod services;

use std::{collections::HashMap, marker::PhantomData, sync::Arc, time::Duration};

use bytes::Bytes;
use entity::{MembershipId, OrganizationId, sessions::Delivery};
use poem::{
    Endpoint, EndpointExt, FromRequest, Request, RequestBody, Response,
    endpoint::{BoxEndpoint, make_sync},
    http::{Method, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, OpenApi,
    error::ParsePathError,
    registry::{MetaApi, MetaSecurityScheme, Registry as MetaRegistry},
};
use uuid::Uuid;

pub use self::authority::Authority;
use super::{
    bodies::Bodies,
    body,
    context::Matched,
    contract::{Content, Contract},
    cookies::{CookieKind, CookieNames},
    csrf::Csrf,
    idempotency,
    limits::{Key, Limits, Tally},
    oauth,
    problem::{self, refuse},
};
use crate::{
    accounts::demand,
    app::App,
    authz::{
        Decision, Limit, Object, OperationPolicy, Ownership, Party, Reauthentication, Registry, Scope, SecondFactor,
        admission,
    },
    decisions::Outcome,
    error::{Code, Error, Fault, Result},
    runtime::Timestamp,
    sessions::{self, Principal, Seat},
    tenancy::members,
    types::{Actor, Caller, Origin, Tenancy},
};

/// What the guard needs.
pub struct Gate {
    /// The parts of the server.
    pub app: App,
    /// The compiled contract.
    pub contract: Contract,
    /// Which bodies are logged.
    pub bodies: Bodies,
    /// The cross-site checks.
    pub csrf: Csrf,
    /// The cookies' names.
    pub cookies: CookieNames,
    /// How often one may call.
    pub limits: Limits,
    /// The most bytes of a body.
    pub body_limit: usize,
    /// How long a body may take.
    pub body_timeout: Duration,
}

/// An API whose every endpoint stands behind the guard.
pub struct Guarded<A> {
    api: A,
    gate: Arc<Gate>,
}

impl<A: OpenApi> Guarded<A> {
    /// Puts an API behind the guard.
    ///
    /// # Errors
    /// Every difference between the contract and the registry; the server must not start then.
    pub fn new(api: A, gate: Arc<Gate>) -> Result<Self, Vec<String>> {
        let faults = differences(&A::meta(), gate.app.policy.registry());
        if faults.is_empty() { Ok(Self { api, gate }) } else { Err(faults) }
    }
}

/// What contract and registry disagree about: nothing, or the server does not start.
pub fn differences(meta: &[MetaApi], registry: &Registry) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = HashMap::new();
    for path in meta.iter().flat_map(|api| &api.paths) {
        for operation in &path.operations {
            let place = format!("{} {}", operation.method, path.path);
            let Some(id) = operation.operation_id else {
                faults.push(format!("{place} has no operation_id"));
                continue;
            };
            if let Some(other) = seen.insert(id, place.clone()) {
                faults.push(format!("{id} is the id of {other} and of {place}"));
            }
            match registry.find(id) {
                None => faults.push(format!("{id} ({place}) has no line in policies/operations.csv; add one")),
                Some((_, row)) => faults.extend(row_faults(row, &path.path, operation.security.is_empty())),
            }
        }
    }
    let unknown = registry.rows().iter().filter(|row| !seen.contains_key(row.operation.as_str()));
    faults.extend(
        unknown.map(|row| format!("policies/operations.csv has {}, which is no operation; remove it", row.operation)),
    );
    faults
}

fn row_faults(row: &OperationPolicy, path: &str, open: bool) -> Vec<String> {
    let mut faults = Vec::new();
    if open != (row.scope == Scope::Public) {
        faults.push(format!("{} is public in the registry or takes no Caller, but not both", row.operation));
    }
    if row.scope == Scope::Organization && !path.contains("{organization_id}") {
        faults.push(format!("{} has the scope organization, but no organization_id in its path", row.operation));
    }
    if row.ownership == Some(Ownership::Membership) && !path.contains("{member_id}") {
        faults.push(format!("{} is owned by membership, but has no member_id in its path", row.operation));
    }
    faults
}

/// Where poem mounts each operation: its route key and method, with the operation's id and path.
fn routes_of(meta: &[MetaApi]) -> HashMap<(String, Method), (&'static str, String)> {
    let mut routes = HashMap::new();
    for path in meta.iter().flat_map(|api| &api.paths) {
        for operation in &path.operations {
            if let Some(id) = operation.operation_id {
                routes.insert((route_key(&path.path), operation.method.clone()), (id, path.path.clone()));
            }
        }
    }
    routes
}

/// poem-openapi mounts `/a/{x}/b/{y}` as `/a/:param0/b/:param1`.
fn route_key(path: &str) -> String {
    let mut number = 0;
    let parts = path.split('/').map(|part| {
        if !part.starts_with('{') {
            return part.to_owned();
        }
        number += 1;
        format!(":param{}", number - 1)
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The name under which poem keeps a path parameter.
fn parameter_key(path: &str, name: &str) -> Option<String> {
    parameter_names(path).position(|parameter| parameter == name).map(|number| format!("param{number}"))
}

fn parameter_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

impl<A: OpenApi> OpenApi for Guarded<A> {
    fn meta() -> Vec<MetaApi> {
        A::meta()
    }

    fn register(registry: &mut MetaRegistry) {
        A::register(registry);
    }

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        let routes = routes_of(&A::meta());
        let mut endpoints = HashMap::new();
        self.api.add_routes(&mut endpoints);
        for (path, methods) in endpoints {
            for (method, inner) in methods {
                // What is not in contract and registry is not mounted: default deny.
                let Some((id, template)) = routes.get(&(path.clone(), method.clone())) else {
                    tracing::error!(%method, path, "an operation outside the contract was not mounted");
                    continue;
                };
                if let Some(guard) = Guard::new(&self.gate, id, template, inner) {
                    table.entry(path.clone()).or_default().insert(method, guard.map_to_response().boxed());
                }
            }
            if let Some(mounted) = table.get_mut(&path) {
                refuse_other_methods(mounted);
            }
        }
    }
}

/// Mounts, for every method that a path has no operation for, the 405 that names those it has (RFC 9110, 15.5.6):
/// poem's own does not.
fn refuse_other_methods(mounted: &mut HashMap<Method, BoxEndpoint<'static>>) {
    let standard =
        [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE];
    let (present, absent): (Vec<_>, Vec<_>) = standard.into_iter().partition(|method| mounted.contains_key(method));
    // HEAD is answered as GET without its body.
    let head = present.contains(&Method::GET).then_some(Method::HEAD);
    let allowed = present.iter().chain(&head).map(Method::as_str).collect::<Vec<_>>().join(", ");
    for method in absent {
        let allowed = allowed.clone();
        mounted.insert(method, make_sync(move |_| problem::not_allowed(&allowed)).boxed());
    }
}

/// Writes the contract without configuration, database or guard.
pub struct SpecOnly<A>(PhantomData<fn() -> A>);

impl<A> Default for SpecOnly<A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<A: OpenApi> OpenApi for SpecOnly<A> {
    fn meta() -> Vec<MetaApi> {
        A::meta()
    }

    fn register(registry: &mut MetaRegistry) {
        A::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}

/// The guard before one operation.
struct Guard {
    gate: Arc<Gate>,
    operation: &'static str,
    position: usize,
    policy: OperationPolicy,
    organization: Option<String>,
    member: Option<String>,
    /// The names of the path's parameters, in their order.
    parameters: Vec<String>,
    inner: BoxEndpoint<'static>,
}

/// How a caller was recognised.
struct Recognised {
    principal: Arc<Principal>,
    origin: Origin,
    /// How the token came.
    delivery: Delivery,
}

impl Guard {
    fn new(gate: &Arc<Gate>, operation: &'static str, path: &str, inner: BoxEndpoint<'static>) -> Option<Self> {
        let (position, policy) = gate.app.policy.registry().find(operation)?;
        Some(Self {
            gate: gate.clone(),
            operation,
            position,
            policy: policy.clone(),
            organization: parameter_key(path, "organization_id"),
            member: parameter_key(path, "member_id"),
            parameters: parameter_names(path).map(str::to_owned).collect(),
            inner,
        })
    }

    /// Everything up to the body: who calls, and whether they may. `began` is when the request did.
    async fn admit(&self, request: &Request, began: Timestamp) -> Result<Caller> {
        let origin = origin_of(request)?;
        if self.policy.scope == Scope::Public {
            // First, so that a foreign page does not spend what the people who look at it have.
            self.gate.csrf.check_unauthenticated(request.method(), request.headers())?;
            let visitor = Caller::anonymous(origin);
            self.count_visitor(request, &visitor)?;
            return Ok(visitor);
        }
        if let Some(key) = self.api_key(request) {
            return Box::pin(self.admit_service(request, &key, origin)).await;
        }
        let who = match self.policy.scope {
            Scope::Service => Err(Error::Unauthenticated(Code::ApiKeyRequired)),
            _ => self.recognise(request, origin.clone()).await,
        };
        if let Err(Error::Unauthenticated(_)) = &who {
            self.count_stranger(request, &Caller::anonymous(origin))?;
        }
        let who = who?;
        let caller = caller_of(&who);
        self.count_caller(request, &caller)?;
        if who.delivery == Delivery::Cookie {
            self.gate.csrf.check(request.method(), request.headers(), Some(who.principal.session))?;
            if request.headers().contains_key(header::UPGRADE) {
                self.gate.csrf.check_handshake(request.headers())?;
            }
        }
        let decided = match self.policy.scope {
            Scope::Public | Scope::Own => Ok(caller.clone()),
            Scope::Service => Err(Error::Unauthenticated(Code::ApiKeyRequired)),
            Scope::Platform => self.on_platform(&who, &caller),
            Scope::Organization => self.in_organization(request, &who, &caller).await,
            Scope::Current => self.where_they_are(&who, &caller),
        };
        let decided = match decided {
            Ok(caller) => match self.second_factor(&who).await {
                Ok(()) => self.recently(&who, began).await.map(|()| caller),
                Err(refusal) => Err(refusal),
            },
            Err(refusal) => Err(refusal),
        };
        self.counted(request, &caller, decided)
    }

    /// Counts what was refused to somebody who is known.
    fn counted(&self, request: &Request, caller: &Caller, decided: Result<Caller>) -> Result<Caller> {
        decided.inspect_err(|refusal| {
            if matches!(refusal, Error::Forbidden(_) | Error::NotFound(_) | Error::Reauthenticate(_)) {
                self.gate.app.refusals.count(caller, self.operation, refusal.code());
                self.decided(request, caller, Outcome::Refused(refusal.code()));
            }
        })
    }

    /// Counts what was decided, for whoever wants to know what a change of the policy would do.
    fn decided(&self, request: &Request, caller: &Caller, outcome: Outcome) {
        let object = self.object_of(request, caller.membership);
        self.gate.app.decisions.count(caller, self.operation, outcome, object);
    }

    /// The organisation that the path names.
    fn organization_of(&self, request: &Request) -> Result<OrganizationId> {
        let id = self.organization.as_ref().and_then(|key| request.raw_path_param(key));
        id.and_then(|text| Uuid::parse_str(text).ok()).map(OrganizationId).ok_or_else(Error::not_found)
    }

    /// Who presents the token, as a bearer (RFC 6750) or in the cookie.
    async fn recognise(&self, request: &Request, origin: Origin) -> Result<Recognised> {
        let unknown = || Error::Unauthenticated(Code::Unauthenticated);
        let headers = request.headers();
        let (token, delivery) = match headers.get(header::AUTHORIZATION) {
            Some(value) => (bearer(value.to_str().unwrap_or_default()).ok_or_else(unknown)?.to_owned(), Delivery::Body),
            None => (self.gate.cookies.read(headers, CookieKind::Access).ok_or_else(unknown)?, Delivery::Cookie),
        };
        let principal = self.gate.app.sessions.recognise(&token, &origin).await?;
        // A token stays in the vessel it was made for: one that leaked from a cookie is no bearer token.
        if delivery != principal.delivery {
            return Err(unknown());
        }
        Ok(Recognised { principal, origin, delivery })
    }

    /// Whether the person has proven who they are recently enough for this operation (AUT-7), as of when the request
    /// began: who was in time is not too late because the body took a while.
    async fn recently(&self, who: &Recognised, began: Timestamp) -> Result<()> {
        if self.policy.reauthentication == Reauthentication::None {
            return Ok(());
        }
        let organization = who.principal.seat.as_ref().map(|seat| seat.organization);
        let window = self.gate.app.sessions.reauthentication_window(organization, &who.origin).await?;
        if began < who.principal.reauthenticated_at + window { Ok(()) } else { Err(Error::Reauthenticate(window)) }
    }

    /// Whether the session has used a second factor where the person's role demands one (MFA-5).
    async fn second_factor(&self, who: &Recognised) -> Result<()> {
        match self.policy.mfa {
            SecondFactor::None => Ok(()),
            SecondFactor::ByRole => demand::expect(&self.gate.app, &who.principal, &who.origin).await,
        }
    }

    fn on_platform(&self, who: &Recognised, caller: &Caller) -> Result<Caller> {
        let seat = who.principal.seat.as_ref().filter(|seat| seat.organization == OrganizationId::PLATFORM);
        match seat {
            Some(seat) => self
                .admits(Party::PlatformPerson, self.decide(seat), Object::Any)
                .map(|()| Caller { tenancy: Tenancy::Platform, ..caller.clone() }),
            None if who.principal.too_old_for == Some(OrganizationId::PLATFORM) => {
                Err(Error::Forbidden(Code::SignInAgain))
            }
            None => Err(Error::Forbidden(Code::Forbidden)),
        }
    }

    fn where_they_are(&self, who: &Recognised, caller: &Caller) -> Result<Caller> {
        match &who.principal.seat {
            Some(seat) => {
                self.admits(party_of(seat), self.decide(seat), Object::Any).map(|()| caller.within(seat.organization))
            }
            None if who.principal.too_old_for.is_some() => Err(Error::Forbidden(Code::SignInAgain)),
            None => Err(Error::Forbidden(Code::OrganizationNotActive)),
        }
    }

    async fn in_organization(&self, request: &Request, who: &Recognised, caller: &Caller) -> Result<Caller> {
        let id = self.organization_of(request)?;
        let Some(seat) = who.principal.seat.as_ref().filter(|seat| seat.organization == id) else {
            let too_old = who.principal.too_old_for == Some(id);
            return Err(if too_old {
                Error::Forbidden(Code::SignInAgain)
            } else {
                Box::pin(self.elsewhere(caller, id)).await
            });
        };
        let object = self.object_of(request, seat.membership);
        self.admits(party_of(seat), self.decide(seat), object).map(|()| caller.within(id))
    }

    /// Why a caller may not act in an organisation that their session is not in: a member must switch first, a platform
    /// administrator's access has ended, to everybody else it does not exist.
    async fn elsewhere(&self, caller: &Caller, organization: OrganizationId) -> Error {
        match members::belongs(&self.gate.app, caller, organization).await {
            Ok(true) => return Error::Forbidden(Code::OrganizationNotActive),
            Ok(false) => {}
            Err(error) => return error,
        }
        match sessions::has_acted(&self.gate.app.db, caller, organization).await {
            Ok(true) => Error::Forbidden(Code::ActingEnded),
            Ok(false) => Error::not_found(),
            Err(error) => error,
        }
    }

    fn decide(&self, seat: &Seat) -> Decision {
        self.gate.app.policy.decide_any(seat.roles(), &seat.permissions, self.position)
    }

    /// Whether the operation is for them, by what the table says of them.
    fn admits(&self, party: Party, decision: Decision, object: Object) -> Result<()> {
        admission(&self.policy, party, decision, object).map_err(|code| match code {
            Code::ApiKeyRequired => Error::Unauthenticated(code),
            code => Error::Forbidden(code),
        })
    }

    /// Whether what the path names is this membership's own.
    fn object_of(&self, request: &Request, membership: Option<MembershipId>) -> Object {
        let own = match self.policy.ownership {
            Some(Ownership::Membership) => {
                let id = self.member.as_ref().and_then(|key| request.raw_path_param(key));
                id.and_then(|text| Uuid::parse_str(text).ok()).is_some_and(|id| membership == Some(MembershipId(id)))
            }
            None => false,
        };
        if own { Object::Own } else { Object::Any }
    }

    /// Calls a path parameter that can't be read by the name that the contract has for it; poem has a number.
    fn name_parameter(&self, error: poem::Error) -> poem::Error {
        let Some(fault) = error.downcast_ref::<ParsePathError>() else { return error };
        let number = fault.name.strip_prefix("param").and_then(|number| number.parse::<usize>().ok());
        match number.and_then(|number| self.parameters.get(number)) {
            Some(name) => refuse(Error::Invalid(vec![Fault::parameter(name, "format", "is not valid")])),
            None => error,
        }
    }

    /// Reads the body and holds the request against the contract.
    async fn read(&self, request: &mut Request) -> Result<Bytes> {
        let bytes =
            body::read(request, body::limit(self.operation, self.gate.body_limit), self.gate.body_timeout).await?;
        self.gate.bodies.request(self.operation, &bytes);
        let content = Content { media_type: request.content_type(), bytes: &bytes };
        self.gate.contract.check(self.operation, request.uri().query(), content)?;
        Ok(bytes)
    }

    /// Decides again after a body, which a slow client can stretch for half a minute: who has lost access meanwhile
    /// must not act, and nothing but the freshness of a proof is judged by the time at which the request began.
    async fn admit_again(&self, request: &mut Request) -> Result<Caller> {
        let origin = origin_of(request)?;
        let began = origin.now;
        request.set_data(Origin { now: self.gate.app.clock.now(), ..origin });
        self.admit(request, began).await
    }

    async fn pass(&self, mut request: Request, caller: Caller) -> Result<poem::Result<Response>> {
        let bytes = self.read(&mut request).await?;
        let caller = if bytes.is_empty() { caller } else { Box::pin(self.admit_again(&mut request)).await? };
        let caller = match idempotency::begin(&self.gate.app, &caller, &self.policy, &request, &bytes).await? {
            idempotency::Begun::Replay(response) => return Ok(Ok(response)),
            idempotency::Begun::Run(caller) => caller,
        };
        request.set_body(bytes);
        request.set_data(caller.clone());
        if let Some(authority) = self.authority(&request, &caller) {
            request.set_data(authority);
        }
        let response = match self.inner.call(request).await {
            Ok(response) if self.gate.bodies.has_answers() => {
                Ok(Box::pin(self.gate.bodies.answer(self.operation, response)).await)
            }
            Ok(response) => Ok(response),
            Err(error) => Err(self.name_parameter(error)),
        };
        Ok(idempotency::end(&self.gate.app, &caller, response).await)
    }
}

impl Endpoint for Guard {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        Matched::name(&request, self.operation);
        let refuse = |error| if oauth::speaks(&self.policy) { oauth::refuse(error) } else { refuse(error) };
        let began = origin_of(&request).map_err(refuse)?.now;
        let caller = self.admit(&request, began).await.map_err(refuse)?;
        self.decided(&request, &caller, Outcome::Allowed);
        if self.policy.limit != Some(Limit::TokenRefresh) {
            return self.pass(request, caller).await.map_err(refuse)?;
        }
        let (tally, key) = (Tally::of(&request), Key::network_of(&caller));
        let answer = self.pass(request, caller).await.map_err(refuse);
        self.count_unknown_refresh(&tally, key);
        answer?
    }
}

fn origin_of(request: &Request) -> Result<Origin> {
    request.data::<Origin>().cloned().ok_or_else(|| Error::internal("a request without an origin"))
}

fn caller_of(who: &Recognised) -> Caller {
    let principal = &who.principal;
    let seat = principal.seat.as_ref();
    Caller {
        actor: Actor::Account { account: principal.account, session: principal.session },
        tenancy: seat.map_or(Tenancy::None, |seat| Tenancy::Organization(seat.organization)),
        role: seat.map(|seat| seat.role.clone()),
        other_roles: seat.map(|seat| seat.other_roles.clone()).unwrap_or_default(),
        permissions: seat.map(|seat| seat.permissions.clone()).unwrap_or_default(),
        membership: seat.and_then(|seat| seat.membership),
        acting: seat.and_then(|seat| seat.acting).map(|acting| acting.access),
        ..Caller::anonymous(who.origin.clone())
    }
}

fn party_of(seat: &Seat) -> Party {
    if seat.organization == OrganizationId::PLATFORM { Party::PlatformPerson } else { Party::Person }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

impl<'a> ApiExtractor<'a> for Caller {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut MetaRegistry) {
        let scheme = |ty, scheme, name, key_in, description| MetaSecurityScheme {
            ty,
            description: Some(description),
            name,
            key_in,
            scheme,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        let text = "An access token, or the API key of a service account, in `Authorization: Bearer` (RFC 6750).";
        registry.create_security_scheme("bearer", scheme("http", Some("bearer"), None, None, text));
        let text = "The access token in a cookie, for browsers. Writes also need `X-CSRF-Token`. The name has the prefix `__Host-` in production.";
        registry
            .create_security_scheme("cookie", scheme("apiKey", None, Some("freehold_access"), Some("cookie"), text));
    }

    fn security_schemes() -> Vec<&'static str> {
        vec!["bearer", "cookie"]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        request.data::<Caller>().cloned().ok_or_else(|| refuse(Error::Unauthenticated(Code::Unauthenticated)))
    }
}

/// The caller of a public operation: nobody in particular, from somewhere.
pub struct Visitor(
    /// The anonymous caller.
    pub Caller,
);

impl<'a> FromRequest<'a> for Visitor {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let caller = request.data::<Caller>().cloned();
        caller.map(Self).ok_or_else(|| refuse(Error::internal("a public operation outside the guard")))
    }
}
