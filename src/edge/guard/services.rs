//! Calls of service accounts, which bring an API key (SES-6).

use base64::{Engine, engine::general_purpose::STANDARD};
use poem::{Request, http::header};
use zeroize::Zeroizing;

use super::{Guard, bearer};
use crate::{
    authz::{Object, Party, Scope},
    error::{Error, Result},
    tenancy::service_accounts::PREFIX,
    types::{Caller, Origin},
};

impl Guard {
    /// The API key that the request brings as a bearer token; also as a Basic password, where services ask as OAuth
    /// clients do (RFC 6749, 2.3.1).
    pub(super) fn api_key(&self, request: &Request) -> Option<Zeroizing<String>> {
        let value = request.headers().get(header::AUTHORIZATION)?.to_str().unwrap_or_default();
        match bearer(value).filter(|token| token.starts_with(PREFIX)) {
            Some(key) => Some(Zeroizing::new(key.to_owned())),
            None => basic_password(value).filter(|_| self.policy.scope == Scope::Service),
        }
    }

    /// Whether a service account may do this: what its role may in its own organisation. What is about a person, asks
    /// for a proof of who somebody is, or is the platform's, only people do.
    pub(super) async fn admit_service(&self, request: &Request, key: &str, origin: Origin) -> Result<Caller> {
        let services = &self.gate.app.services;
        let stranger = Caller::anonymous(origin.clone());
        if !services.keeps(key) {
            // It has to be looked up, which must not be had for nothing.
            self.check_stranger(request, &stranger)?;
        }
        let known = services.recognise(key, &origin).await;
        if let Err(Error::Unauthenticated(_)) = &known {
            self.count_stranger(request, &stranger)?;
        }
        let known = known?;
        let caller = known.caller(origin);
        self.count_caller(request, &caller)?;
        let decision = self.gate.app.policy.decide_any([&known.role], &known.permissions, self.position);
        let decided = match self.policy.scope {
            Scope::Organization if self.organization_of(request)? != known.organization => Err(Error::not_found()),
            _ => self.admits(Party::Service, decision, Object::Any).map(|()| caller.clone()),
        };
        self.counted(request, &caller, decided)
    }
}

/// The password of Basic credentials (RFC 7617).
fn basic_password(header: &str) -> Option<Zeroizing<String>> {
    let (scheme, credentials) = header.split_once(' ')?;
    let credentials = scheme.eq_ignore_ascii_case("basic").then_some(credentials.trim())?;
    let credentials = Zeroizing::new(String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?);
    credentials.split_once(':').map(|(_, password)| Zeroizing::new(password.to_owned()))
}
