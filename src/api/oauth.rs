//! What the product's own services ask of tokens that they are presented (SES-7), in the forms of the standards.

use poem_openapi::{
    ApiResponse, Object, OpenApi,
    payload::{Form, Json},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Face, Tag};
use crate::{
    edge::oauth::OAuthResult,
    sessions::{Presented, Token},
    types::Caller,
};

/// The operations.
pub struct OAuth(pub Face);

/// A token that somebody presented.
#[derive(Object, Deserialize)]
struct TokenToLookAt {
    /// An access token or a refresh token.
    #[oai(validator(min_length = 1, max_length = 8192))]
    token: String,
    /// Which of the two the client takes it for. The server sees for itself.
    #[oai(validator(min_length = 1, max_length = 64), skip_serializing_if_is_none)]
    #[serde(default)]
    token_type_hint: Option<String>,
}

/// What is true of a token (RFC 7662, 2.2). Of one that is not active nothing else is said.
#[derive(Debug, Default, Object)]
#[oai(skip_serializing_if_is_none)]
struct Introspection {
    /// Whether it is good now and its session is in the service's organisation.
    active: bool,
    /// `Bearer` for an access token; absent for a refresh token.
    token_type: Option<String>,
    /// The account.
    sub: Option<Uuid>,
    /// The session.
    sid: Option<Uuid>,
    /// The access token's own id.
    jti: Option<Uuid>,
    /// The organisation.
    org: Option<Uuid>,
    /// What the person may there now: the highest of the roles that they have.
    role: Option<String>,
    /// All roles that count there, the highest first.
    roles: Option<Vec<String>>,
    /// The access of a platform administrator who acts there without belonging to it.
    acting: Option<Uuid>,
    /// How the person signed in (RFC 8176).
    amr: Option<Vec<String>>,
    /// When the person last proved who they are, in seconds since 1970.
    auth_time: Option<i64>,
    /// Who made the token.
    iss: Option<String>,
    /// Whom it is for.
    aud: Option<String>,
    /// When it was made, in seconds since 1970.
    iat: Option<i64>,
    /// When it ends, or its session before that, in seconds since 1970.
    exp: Option<i64>,
}

/// The answer of a revocation.
#[derive(ApiResponse)]
enum Revoked {
    /// The token is good for nothing now, if it ever was one.
    #[oai(status = 200)]
    Revoked,
}

#[OpenApi(prefix_path = "/v1/oauth", tag = "Tag::Tokens")]
impl OAuth {
    /// Ask what is true of a token now (RFC 7662).
    ///
    /// For the product's own services, with an API key as bearer token or as the password of Basic credentials. What is
    /// no token, has run out, or belongs to a session in another organisation is not active, and which of these is not
    /// said.
    #[oai(path = "/introspect", method = "post", operation_id = "oauth_introspect")]
    async fn introspect(&self, caller: Caller, body: Form<TokenToLookAt>) -> OAuthResult<Json<Introspection>> {
        let TokenToLookAt { token, token_type_hint: _ } = body.0;
        let found = self.0.gate.app.sessions.introspect(&caller, &token).await?;
        Ok(Json(found.map(Introspection::from).unwrap_or_default()))
    }

    /// End the session of a token (RFC 7009).
    ///
    /// All of its tokens are good for nothing at once and everywhere. For what is no token, and for one of another
    /// organisation, the answer is the same, and nothing happens.
    #[oai(path = "/revoke", method = "post", operation_id = "oauth_revoke")]
    async fn revoke(&self, caller: Caller, body: Form<TokenToLookAt>) -> OAuthResult<Revoked> {
        let TokenToLookAt { token, token_type_hint: _ } = body.0;
        self.0.gate.app.sessions.revoke(&caller, &token).await?;
        Ok(Revoked::Revoked)
    }
}

impl From<Presented> for Introspection {
    fn from(token: Presented) -> Self {
        Self {
            active: true,
            token_type: (token.token == Token::Access).then(|| "Bearer".to_owned()),
            sub: Some(token.account.into()),
            sid: Some(token.session.into()),
            jti: token.id,
            org: Some(token.organization.into()),
            role: token.roles.first().cloned(),
            roles: Some(token.roles),
            acting: token.acting.map(Into::into),
            amr: Some(token.factors),
            auth_time: Some(token.authenticated_at.timestamp()),
            iss: Some(token.issuer),
            aud: Some(token.audience),
            iat: Some(token.issued_at),
            exp: Some(token.expires_at),
        }
    }
}
