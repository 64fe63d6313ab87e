//! What answers say of the limits: `RateLimit-Policy` and `RateLimit`, as the IETF's draft has them
//! (draft-ietf-httpapi-ratelimit-headers-10): lists of structured fields (RFC 9651), times in whole seconds.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use poem::{
    Request,
    http::{HeaderMap, HeaderName, HeaderValue},
};

use super::Standing;

/// What holds.
pub const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left.
pub const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// What a request has counted towards. It is in the request's data; a request counts once however often it is looked at.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<Option<Standing>>>);

impl Tally {
    /// The request's own.
    pub fn of(request: &Request) -> Self {
        request.data::<Self>().cloned().unwrap_or_default()
    }

    /// Whether nothing was counted yet.
    pub fn is_empty(&self) -> bool {
        self.standing().is_none()
    }

    pub(super) fn note(&self, standing: Standing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(standing);
    }

    pub(super) fn standing(&self) -> Option<Standing> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts on an answer what the request has counted towards.
    pub fn write(&self, headers: &mut HeaderMap) {
        let Some(Standing { limit, quota, left, renewed_in }) = self.standing() else { return };
        let name = limit.name();
        let policy = format!("\"{name}\";q={};w={}", quota.most, whole_seconds(quota.window));
        let state = format!("\"{name}\";r={left};t={}", whole_seconds(renewed_in));
        for (header, value) in [(POLICY, policy), (STATE, state)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(header, value);
            }
        }
    }
}

/// Who waits so many seconds has waited long enough.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}
