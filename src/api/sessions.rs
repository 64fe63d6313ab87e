//! Signing in, carrying on, signing out.

use chrono::{DateTime, Utc};
use entity::{OrganizationId, sessions::Delivery};
use poem::{
    Request,
    http::{HeaderValue, header},
};
use poem_openapi::{
    Enum, Object, OpenApi,
    payload::{Json, Response},
};
use uuid::Uuid;

use super::{
    Face, Tag,
    accounts::Account,
    address::Email,
    second_factors::{Entry, SecondFactorProof},
    wire::{Created, Done},
};
use crate::{
    accounts,
    authz::Limit,
    config::SecretString,
    edge::{
        ApiResult, Visitor,
        cookies::CookieKind,
        limits::{Key, Tally},
    },
    error::{Code, Error, Fault, Result},
    mfa::trusted::LASTS as TRUST_LASTS,
    sessions::{self, Opened},
    types::{self, Caller},
    vault::Vault,
};

/// The operations.
pub struct SignIn(pub Face);

/// How the tokens of a session travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum TokenDelivery {
    /// In httpOnly cookies: for browsers.
    Cookie,
    /// In the answer's body: for everybody else.
    Body,
}

/// A sign-in with a password.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct SignInWithPassword {
    /// The e-mail address of the account.
    email: Email,
    /// The password.
    #[oai(validator(min_length = 1, max_length = 256))]
    password: String,
    /// How the tokens travel.
    token_delivery: TokenDelivery,
    /// What a sign-in with `remember_device` brought; browsers have it in a cookie. Wrong passwords that strangers give
    /// elsewhere don't lock a known device out.
    #[oai(validator(min_length = 1, max_length = 256), skip_serializing_if_is_none)]
    device_token: Option<String>,
    /// Whether this device is known from now on, with `token_delivery: body`; browsers always are.
    #[oai(skip_serializing_if_is_none)]
    remember_device: Option<bool>,
    /// What a second factor with `trust_device` brought; browsers have it in a cookie. On a trusted device the password is
    /// enough.
    #[oai(validator(min_length = 1, max_length = 256), skip_serializing_if_is_none)]
    trust_token: Option<String>,
}

/// A refresh.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct Refresh {
    /// The refresh token; left out by browsers, which have it in a cookie.
    #[oai(validator(min_length = 1, max_length = 256), skip_serializing_if_is_none)]
    refresh_token: Option<String>,
}

/// A switch to another organisation.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct SwitchOrganization {
    /// The organisation to act in from now on.
    organization_id: Uuid,
}

/// A proof of who is signed in.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct Reauthenticate {
    /// The password of the account.
    #[oai(validator(min_length = 1, max_length = 256))]
    password: String,
    /// A second factor, for whoever has one.
    #[oai(skip_serializing_if_is_none)]
    second_factor: Option<SecondFactorProof>,
}

/// A session.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When the person signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last carried on.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// The address it was opened from.
    pub ip: Option<String>,
    /// The client that opened it.
    pub user_agent: Option<String>,
    /// The organisation it is in.
    pub organization_id: Option<Uuid>,
}

/// What a client gets for signing in or carrying on.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The account.
    pub account: Account,
    /// The organisation that the session is in.
    pub organization_id: Option<Uuid>,
    /// The access token, with `token_delivery: body`.
    pub access_token: Option<String>,
    /// The refresh token, with `token_delivery: body`, if it is a new one.
    pub refresh_token: Option<String>,
    /// `Bearer`, with `token_delivery: body`.
    pub token_type: Option<String>,
    /// What this device is known by for 180 days, with `token_delivery: body`: to be sent with the next sign-in.
    pub device_token: Option<String>,
    /// What this device is trusted by for fourteen days, with `token_delivery: body`: to be sent with the next sign-in.
    pub trust_token: Option<String>,
    /// For how many seconds the access token is valid.
    pub expires_in: u64,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Sessions")]
impl SignIn {
    /// Sign in with a password.
    ///
    /// The answer is the same, in the same time, whether or not the address has an account. Five wrong passwords lock the
    /// address for a quarter of an hour, and each further one for twice as long; from one network address, too many are
    /// refused as well. What is refused with 429 was not looked at. Of a person with a second factor, 200 means that the
    /// password was right: `sessions_second_factor` signs in.
    #[oai(path = "/sessions", method = "post", operation_id = "sessions_create")]
    async fn create(
        &self,
        visitor: Visitor,
        request: &Request,
        body: Json<SignInWithPassword>,
    ) -> ApiResult<Response<Entry>> {
        let (gate, body) = (&self.0.gate, body.0);
        let email = email(&body.email)?;
        let (delivery, device) = body.device()?;
        let (presented, trusted) = match delivery {
            Delivery::Body => (body.device_token, body.trust_token),
            Delivery::Cookie => {
                let read = |kind| gate.cookies.read(request.headers(), kind);
                (read(CookieKind::Device), read(CookieKind::Trust))
            }
        };
        let credentials = accounts::Credentials {
            email: &email,
            password: SecretString::new(body.password),
            device: presented.map(SecretString::new),
            trusted: trusted.map(SecretString::new),
        };
        let entered = accounts::sign_in(&gate.app, &visitor.0, credentials, delivery, device).await?;
        Ok(self.0.entered(&visitor.0, entered).await?)
    }

    /// Carry a session on with its refresh token, which is used up.
    ///
    /// A refresh token that is presented twice ends the whole session. One from a cookie is not taken in a body, nor the
    /// other way round. One that is refused with 429 is not used up.
    #[oai(path = "/sessions/refresh", method = "post", operation_id = "sessions_refresh")]
    async fn refresh(
        &self,
        visitor: Visitor,
        request: &Request,
        body: Json<Refresh>,
    ) -> ApiResult<Response<Json<SignedIn>>> {
        let gate = &self.0.gate;
        let in_body = body.0.refresh_token;
        let vessel = if in_body.is_some() { Delivery::Body } else { Delivery::Cookie };
        let token = in_body.or_else(|| gate.cookies.read(request.headers(), CookieKind::Refresh));
        let token = SecretString::new(token.ok_or(Error::Unauthenticated(Code::Unauthenticated))?);
        if vessel == Delivery::Cookie {
            gate.csrf.check(request.method(), request.headers(), None)?;
        }
        let tally = Tally::of(request);
        let admit = |session| {
            let counted = gate.limits.count(&tally, Limit::TokenRefresh, Key::Session(session));
            let refusals = &gate.app.refusals;
            counted.inspect_err(|refusal| refusals.count(&visitor.0, "sessions_refresh", refusal.code()))
        };
        let opened = gate.app.sessions.refresh(&visitor.0, token.expose(), vessel, admit).await?;
        Ok(self.0.carried_on(&visitor.0, opened).await?)
    }

    /// Sign out: end this session.
    #[oai(path = "/session", method = "delete", operation_id = "session_end")]
    async fn end(&self, caller: Caller) -> ApiResult<Response<Done>> {
        let session = caller.session().ok_or(Error::Unauthenticated(Code::Unauthenticated))?;
        self.0.gate.app.sessions.end(&caller, session).await?;
        Ok(self.0.forgotten()?)
    }

    /// Prove again who one is, for operations that demand a recent authentication.
    ///
    /// They answer 403 with `reauthentication_required` until then. The answer brings an access token whose `auth_time`
    /// is now. After three wrong passwords in five minutes every one is refused for a while, the right one too. Whoever has
    /// a second factor proves that as well, and the session counts from then on as one that has used it.
    #[oai(path = "/session/reauthenticate", method = "post", operation_id = "session_reauthenticate")]
    async fn reauthenticate(&self, caller: Caller, body: Json<Reauthenticate>) -> ApiResult<Response<Json<SignedIn>>> {
        let Reauthenticate { password, second_factor } = body.0;
        let (password, proof) = (SecretString::new(password), second_factor.map(Into::into));
        let opened = accounts::reauthenticate(&self.0.gate.app, &caller, password, proof).await?;
        Ok(self.0.carried_on(&caller, opened).await?)
    }

    /// Act in another of one's organisations from now on.
    #[oai(path = "/session/organization", method = "post", operation_id = "session_switch")]
    async fn switch(&self, caller: Caller, body: Json<SwitchOrganization>) -> ApiResult<Response<Json<SignedIn>>> {
        let opened = self.0.gate.app.sessions.switch(&caller, OrganizationId(body.0.organization_id)).await?;
        Ok(self.0.carried_on(&caller, opened).await?)
    }
}

impl SignInWithPassword {
    /// How the tokens travel, and what becomes of the device.
    fn device(&self) -> Result<(Delivery, accounts::Device)> {
        let remember = self.remember_device == Some(true);
        match self.token_delivery {
            TokenDelivery::Body if !remember => Ok((Delivery::Body, accounts::Device::Leave)),
            TokenDelivery::Body => Ok((Delivery::Body, accounts::Device::Remember)),
            // A token stays in the vessel that it was made for.
            TokenDelivery::Cookie if self.device_token.is_some() => Err(in_a_cookie("/device_token")),
            TokenDelivery::Cookie if self.trust_token.is_some() => Err(in_a_cookie("/trust_token")),
            TokenDelivery::Cookie => Ok((Delivery::Cookie, accounts::Device::Remember)),
        }
    }
}

fn in_a_cookie(field: &str) -> Error {
    Error::field(field, "delivery", "is in a cookie with this token_delivery")
}

impl Face {
    /// The answer to a sign-in.
    pub(super) async fn created(
        &self,
        caller: &Caller,
        account: accounts::Account,
        opened: Opened,
    ) -> Result<Response<Created<SignedIn>>> {
        self.created_on(caller, accounts::SignedIn { account, opened, device: None, trusted: None }).await
    }

    /// The answer to a sign-in on a device that may be known now.
    pub(super) async fn created_on(
        &self,
        caller: &Caller,
        new: accounts::SignedIn,
    ) -> Result<Response<Created<SignedIn>>> {
        let (signed_in, location, cookies) = self.signed_in_on(caller, new).await?;
        let response = Response::new(Created::Created(Json(signed_in), location));
        Ok(cookies.into_iter().fold(response, |response, cookie| response.header(header::SET_COOKIE, cookie)))
    }

    /// What is answered to it: the session, where it is, and the cookies.
    pub(super) async fn signed_in_on(
        &self,
        caller: &Caller,
        new: accounts::SignedIn,
    ) -> Result<(SignedIn, String, Vec<HeaderValue>)> {
        let accounts::SignedIn { account, opened, device, trusted } = new;
        let (location, delivery) = (format!("/v1/me/sessions/{}", opened.session.id), opened.session.delivery);
        let (mut signed_in, mut cookies) = self.signed_in(caller, account, opened).await?;
        match (device, delivery) {
            (Some(token), Delivery::Body) => signed_in.device_token = Some(token.expose().to_owned()),
            (Some(token), Delivery::Cookie) => {
                let lasts = accounts::DEVICE_LASTS.to_std().unwrap_or_default();
                cookies.push(self.gate.cookies.set(CookieKind::Device, token.expose(), lasts)?);
            }
            (None, _) => {}
        }
        match (trusted, delivery) {
            (Some(token), Delivery::Body) => signed_in.trust_token = Some(token.expose().to_owned()),
            (Some(token), Delivery::Cookie) => {
                let lasts = TRUST_LASTS.to_std().unwrap_or_default();
                cookies.push(self.gate.cookies.set(CookieKind::Trust, token.expose(), lasts)?);
            }
            (None, _) => {}
        }
        Ok((signed_in, location, cookies))
    }

    /// The answer to what goes on with a session.
    pub(super) async fn carried_on(&self, caller: &Caller, opened: Opened) -> Result<Response<Json<SignedIn>>> {
        let tx = self.gate.app.db.read(caller).await?;
        let account = accounts::get(&self.gate.app.vault, &tx, opened.session.account_id).await?;
        drop(tx);
        let (signed_in, cookies) = self.signed_in(caller, account, opened).await?;
        let response = Response::new(Json(signed_in));
        Ok(cookies.into_iter().fold(response, |response, cookie| response.header(header::SET_COOKIE, cookie)))
    }

    /// The answer to a sign-out.
    pub(super) fn forgotten(&self) -> Result<Response<Done>> {
        let cookies = self.gate.cookies.clear()?;
        let response = Response::new(Done::Done);
        Ok(cookies.into_iter().fold(response, |response, cookie| response.header(header::SET_COOKIE, cookie)))
    }

    pub(super) async fn signed_in(
        &self,
        caller: &Caller,
        account: accounts::Account,
        opened: Opened,
    ) -> Result<(SignedIn, Vec<HeaderValue>)> {
        let app = &self.gate.app;
        let access = app.sessions.issue(&opened, &caller.origin).await?;
        let lifetime = app.sessions.lifetime(&caller.origin).await?;
        let Opened { session, refresh_token, .. } = opened;
        let mut signed_in = SignedIn {
            account: account.into(),
            organization_id: access.organization.map(Into::into),
            session: Session {
                organization_id: access.organization.map(Into::into),
                ..Session::of(&app.vault, &session, true)?
            },
            access_token: None,
            refresh_token: None,
            token_type: None,
            device_token: None,
            trust_token: None,
            expires_in: access.expires_in.as_secs(),
        };
        let mut cookies = Vec::new();
        match session.delivery {
            Delivery::Body => {
                signed_in.access_token = Some(access.token.expose().to_owned());
                signed_in.refresh_token = refresh_token.map(|token| token.expose().to_owned());
                signed_in.token_type = Some("Bearer".to_owned());
            }
            Delivery::Cookie => {
                let names = self.gate.cookies;
                cookies.push(names.set(CookieKind::Access, access.token.expose(), access.expires_in)?);
                cookies.push(names.set(CookieKind::Csrf, &self.gate.csrf.token_for(session.id), lifetime)?);
                if let Some(token) = refresh_token {
                    cookies.push(names.set(CookieKind::Refresh, token.expose(), lifetime)?);
                }
            }
        }
        Ok((signed_in, cookies))
    }
}

impl Session {
    /// A session as its person sees it.
    ///
    /// # Errors
    /// When where it was opened can't be opened.
    pub fn of(vault: &Vault, row: &sessions::Session, current: bool) -> Result<Self> {
        let seen = sessions::Seen::of(vault, row)?;
        Ok(Self {
            id: row.id.into(),
            current,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
            ip: seen.address,
            user_agent: seen.user_agent,
            organization_id: row.active_organization.map(Into::into),
        })
    }
}

impl From<TokenDelivery> for Delivery {
    fn from(delivery: TokenDelivery) -> Self {
        match delivery {
            TokenDelivery::Cookie => Self::Cookie,
            TokenDelivery::Body => Self::Body,
        }
    }
}

/// An address at `/email`.
pub fn email(wire: &Email) -> Result<types::Email> {
    wire.0.parse().map_err(|detail| Error::Invalid(vec![Fault::body("/email", "format", detail)]))
}
