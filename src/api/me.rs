//! The signed-in person's own affairs.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{OrganizationId, SessionId};
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::{Json, Response},
};
use uuid::Uuid;

use super::{
    Face, Tag,
    accounts::Account,
    custom_roles::CustomRoleOf,
    invitations::InvitationToken,
    members::Member,
    organizations::{Organization, OrganizationKind},
    second_factors::SecondFactorStanding,
    sessions::Session,
    teams::TeamOf,
    wire::{Done, Listed, Versioned, Written, version},
};
use crate::{
    accounts::{self, Account as Row, demand},
    authz::{Decision, Policy, Scope},
    config::SecretString,
    edge::ApiResult,
    error::{Code, Error, Result},
    mfa,
    sessions::{self, Access},
    settings::Effective,
    tenancy::{custom_roles, invitations, organizations, teams},
    types::{Caller, Page, PageRequest},
    vault::Vault,
};

/// The operations.
pub struct Me(pub Face);

/// Who is signed in, where they are, and what they may do there.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Profile {
    /// The account.
    account: Account,
    /// This session.
    session: Session,
    /// How, and until when, this session is good for operations that demand a recent authentication.
    reauthentication: RecentAuthentication,
    /// Whether the organisation demands a second factor of this session, and until when it can do without.
    second_factor: SecondFactorStanding,
    /// The organisation that the session is in.
    organization: Option<Organization>,
    /// The membership there.
    member_id: Option<Uuid>,
    /// The direct role there.
    role: Option<String>,
    /// What a platform administrator acts through, in an organisation that is not theirs.
    acting: Option<OwnAccess>,
    /// The teams there, by name.
    teams: Vec<TeamOf>,
    /// The custom roles there: first those held directly, then those that teams give.
    custom_roles: Vec<CustomRoleOf>,
    /// The operations that those permit, together, with whatever is of the organisation and not only with one's own.
    permissions: Vec<String>,
    /// The roles that count there, the highest first: the direct one and those by teams, without any that another
    /// covers.
    effective_roles: Vec<String>,
    /// The operations that the guard lets through there, on any or on own objects.
    operations: Vec<String>,
    /// The person's organisations, by name; at most 500.
    organizations: Vec<OwnOrganization>,
}

/// A profile that was written for a principal: it is asked for more often than anything else.
struct Made {
    /// The settings that it was made under.
    settings: Arc<Effective>,
    version: i32,
    profile: Profile,
    written: Written<Profile>,
}

impl Made {
    fn answer(&self) -> Versioned<Profile> {
        Versioned::written(self.version, self.written.clone())
    }
}

/// A session's proof of who its person is.
#[derive(Clone, Debug, Object)]
struct RecentAuthentication {
    /// What the person proves it with: `password`, and one of the ways to prove a second factor if there are any.
    methods: Vec<String>,
    /// Until when the last proof is recent enough; operations that demand one answer `reauthentication_required` then.
    fresh_until: DateTime<Utc>,
}

/// A platform administrator's own running access.
#[derive(Clone, Debug, Object)]
struct OwnAccess {
    /// Its id.
    id: Uuid,
    /// The organisation.
    organization_id: Uuid,
    /// Why.
    reason: String,
    /// Since when.
    started_at: DateTime<Utc>,
    /// Until when; then the session is back in the platform's organisation.
    expires_at: DateTime<Utc>,
}

/// One of a person's organisations.
#[derive(Clone, Debug, Object)]
struct OwnOrganization {
    /// Its id.
    id: Uuid,
    /// Its name.
    name: String,
    /// Its short name.
    slug: String,
    /// What it is.
    kind: OrganizationKind,
    /// The person's direct role there.
    role: String,
    /// The roles that count there, the highest first.
    effective_roles: Vec<String>,
    /// The person's membership there.
    member_id: Uuid,
}

/// What to change of one's own account.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct UpdateMe {
    /// How you are called.
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Me")]
impl Me {
    /// Who is signed in, where they are, and what they may do there.
    #[oai(path = "/me", method = "get", operation_id = "me_get")]
    async fn get(&self, caller: Caller) -> ApiResult<Versioned<Profile>> {
        Ok(self.profile(&caller).await?)
    }

    /// Change one's own name.
    #[oai(path = "/me", method = "patch", operation_id = "me_update")]
    async fn update(
        &self,
        caller: Caller,
        body: Json<UpdateMe>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<Profile>> {
        let app = &self.0.gate.app;
        let kept = app.sessions.standing(&caller).and_then(|principal| principal.shelf.last::<Made>());
        let account = accounts::rename(app, &caller, &body.0.name, version(if_match.0)).await?;
        Ok(self.renamed(&caller, kept, account).await?)
    }

    /// One's own live sessions, newest first.
    #[oai(path = "/me/sessions", method = "get", operation_id = "sessions_list")]
    async fn sessions(
        &self,
        caller: Caller,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Session>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let app = &self.0.gate.app;
        let page = app.sessions.list(&caller, page).await?;
        let opened = |row| Session::of(&app.vault, row, Some(row.id) == caller.session());
        let items = page.items.iter().map(opened).collect::<Result<_>>()?;
        Ok(Listed::page(request, Page { items, next: page.next }, |session| session))
    }

    /// One of one's own live sessions.
    #[oai(path = "/me/sessions/:session_id", method = "get", operation_id = "sessions_get")]
    async fn session(&self, caller: Caller, session_id: Path<Uuid>) -> ApiResult<Json<Session>> {
        let row = self.0.gate.app.sessions.get(&caller, SessionId(session_id.0)).await?;
        Ok(Json(Session::of(&self.0.gate.app.vault, &row, Some(row.id) == caller.session())?))
    }

    /// End one of one's own sessions.
    #[oai(path = "/me/sessions/:session_id", method = "delete", operation_id = "sessions_end")]
    async fn end_session(&self, caller: Caller, session_id: Path<Uuid>) -> ApiResult<Done> {
        self.0.gate.app.sessions.end(&caller, SessionId(session_id.0)).await?;
        Ok(Done::Done)
    }

    /// End all of one's own sessions, this one included.
    #[oai(path = "/me/sessions", method = "delete", operation_id = "sessions_end_all")]
    async fn end_sessions(&self, caller: Caller) -> ApiResult<Response<Done>> {
        self.0.gate.app.sessions.end_all(&caller).await?;
        Ok(self.0.forgotten()?)
    }

    /// Accept an invitation as the person who is signed in.
    #[oai(path = "/me/invitations", method = "post", operation_id = "me_invitations_accept")]
    async fn accept_invitation(&self, caller: Caller, body: Json<InvitationToken>) -> ApiResult<Json<Member>> {
        let token = SecretString::new(body.0.token);
        let member = invitations::join(&self.0.gate.app, &caller, &token).await?;
        Ok(Json(member.into()))
    }
}

impl Me {
    /// As it was made for the caller's principal, as long as that stands; otherwise as the database has it.
    async fn profile(&self, caller: &Caller) -> Result<Versioned<Profile>> {
        let app = &self.0.gate.app;
        let here = caller.organization().unwrap_or(OrganizationId::PLATFORM);
        let settings = app.settings.effective(here, &caller.origin).await?;
        let principal = app.sessions.standing(caller);
        let made = principal.as_ref().and_then(|principal| principal.shelf.get::<Made>());
        if let Some(made) = made.filter(|made| Arc::ptr_eq(&made.settings, &settings)) {
            return Ok(made.answer());
        }
        let shelf = principal.map(|principal| (principal.shelf.mark(), principal));
        let (version, profile) = Box::pin(self.read(caller)).await?;
        let made = Made { settings, version, written: Written::of(&profile), profile };
        let answer = made.answer();
        if let Some((mark, principal)) = shelf {
            principal.shelf.put(mark, Arc::new(made));
        }
        Ok(answer)
    }

    /// The profile after a change of the account alone: what was kept of it, with the new account.
    async fn renamed(&self, caller: &Caller, kept: Option<Arc<Made>>, account: Row) -> Result<Versioned<Profile>> {
        match kept {
            Some(made) => {
                let (version, account) = (account.version, Account::from(account));
                Ok(Versioned::of(version, Profile { account, ..made.profile.clone() }))
            }
            None => self.profile(caller).await,
        }
    }

    async fn read(&self, caller: &Caller) -> Result<(i32, Profile)> {
        let app = &self.0.gate.app;
        let id = caller.account().ok_or(Error::Unauthenticated(Code::Unauthenticated))?;
        // Before a connection is taken: these may need one.
        let standing = match caller.session() {
            Some(session) => {
                let principal = app.sessions.present(id, session, &caller.origin).await?;
                demand::standing(app, &principal, &caller.origin).await?
            }
            None => return Err(Error::Unauthenticated(Code::Unauthenticated)),
        };
        let window = app.sessions.reauthentication_window(caller.organization(), &caller.origin).await?;
        let tx = app.db.read(caller).await?;
        let account = accounts::get(&app.vault, &tx, id).await?;
        let session = app.sessions.current(&tx).await?;
        let organization = match caller.organization() {
            Some(_) => Some(organizations::get(&tx).await?.into()),
            None => None,
        };
        let own = organizations::own(&tx, id).await?;
        let acting = sessions::find_access(&tx).await?;
        let direct = own.iter().find(|own| Some(own.member_id) == caller.membership.map(Uuid::from));
        // Who acts here has no membership, and the role that acting gives.
        let role = direct.map(|own| own.role.clone()).or_else(|| caller.role.as_ref().map(ToString::to_string));
        let mut teams = teams::of(&tx, caller.membership).await?;
        let mut custom = custom_roles::of_members(&tx, caller.membership, &teams).await?;
        let custom = caller.membership.and_then(|id| custom.remove(&id)).unwrap_or_default();
        let teams = caller.membership.and_then(|id| teams.remove(&id)).unwrap_or_default();
        let version = account.version;
        let factors = mfa::factors(&tx, id).await?.methods_again().into_iter().map(mfa::Method::as_str);
        let profile = Profile {
            account: account.into(),
            second_factor: standing.into(),
            session: Session {
                organization_id: caller.organization().map(Into::into),
                ..Session::of(&app.vault, &session, true)?
            },
            reauthentication: RecentAuthentication {
                methods: [accounts::PASSWORD].into_iter().chain(factors).map(ToOwned::to_owned).collect(),
                fresh_until: session.reauthenticated_at + window,
            },
            organization,
            member_id: caller.membership.map(Into::into),
            role,
            teams: teams.into_iter().map(Into::into).collect(),
            custom_roles: custom.into_iter().map(Into::into).collect(),
            permissions: self.permitted(caller),
            effective_roles: caller.roles().map(ToString::to_string).collect(),
            acting: acting.map(|access| OwnAccess::of(&app.vault, access)).transpose()?,
            operations: self.operations(caller),
            organizations: own.into_iter().map(|own| OwnOrganization::of(own, &app.policy)).collect(),
        };
        Ok((version, profile))
    }

    /// What custom roles let the caller do with any object.
    fn permitted(&self, caller: &Caller) -> Vec<String> {
        let rows = self.0.gate.app.policy.registry().rows();
        let permitted = caller.permissions.positions().filter_map(|position| rows.get(position));
        permitted.map(|row| row.operation.clone()).collect()
    }

    /// What the guard would let through, by the same table.
    fn operations(&self, caller: &Caller) -> Vec<String> {
        let policy = &self.0.gate.app.policy;
        let platform = caller.organization() == Some(entity::OrganizationId::PLATFORM);
        let allowed = policy.registry().rows().iter().enumerate().filter(|(position, row)| match row.scope {
            Scope::Public | Scope::Own => true,
            Scope::Service => false,
            Scope::Platform if !platform => false,
            // Whoever is in no organisation has no role.
            Scope::Platform | Scope::Organization | Scope::Current => {
                policy.decide_any(caller.roles(), &caller.permissions, *position) != Decision::Deny
            }
        });
        allowed.map(|(_, row)| row.operation.clone()).collect()
    }
}

impl OwnAccess {
    fn of(vault: &Vault, access: Access) -> Result<Self> {
        Ok(Self {
            id: access.id.into(),
            organization_id: access.organization_id.into(),
            reason: sessions::reason(vault, &access)?.unwrap_or_default(),
            started_at: access.started_at,
            expires_at: access.expires_at,
        })
    }
}

impl OwnOrganization {
    fn of(own: organizations::Own, policy: &Policy) -> Self {
        let effective_roles = own.roles(policy).iter().map(ToString::to_string).collect();
        let kind = if own.kind == "platform" { OrganizationKind::Platform } else { OrganizationKind::Tenant };
        let organizations::Own { id, name, slug, role, member_id, .. } = own;
        Self { id, name, slug, kind, role, effective_roles, member_id }
    }
}
