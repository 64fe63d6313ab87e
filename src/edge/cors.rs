//! Pages of others that call the API from a browser (NET-3).
//!
//! Only those of the configured origins may read an answer, and only with a bearer token: nothing here says that
//! cookies may come along, so no browser lets a foreign page read what a cookie has opened, and what is open to anybody
//! stays our own pages' from a browser (NET-11). A preflight is answered before anybody is recognised.
//!
//! poem has a middleware for this. It is not used because it refuses whatever names another origin, our own pages' too
//! and programs', lets a preflight pass when one of the headers it asks for is allowed, and says `Vary: Origin` on some
//! answers only, so that a cache could give one page's answer to another.

use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};

use super::problem;
use crate::config::Origins;

/// What a page may do.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// What a page may say, beyond what any may (Fetch, 2.2.2).
const REQUEST_HEADERS: &str = "authorization, content-type, idempotency-key, if-match, if-none-match, traceparent";
/// What a page may read, beyond what any may.
const ANSWER_HEADERS: &str = "content-disposition, etag, idempotency-replayed, link, location, ratelimit, \
                              ratelimit-policy, retry-after, www-authenticate, x-request-id";
/// How long a browser need not ask again, in seconds: ten minutes, of which Chromium takes up to two hours.
const MAX_AGE: &str = "600";

/// An endpoint that pages of some other origins may call.
pub struct Cors<E> {
    inner: E,
    origins: Arc<Origins>,
}

impl<E> Cors<E> {
    /// Opens an endpoint to the pages of these origins.
    pub fn new(inner: E, origins: &Arc<Origins>) -> Self {
        Self { inner, origins: origins.clone() }
    }
}

impl<E: Endpoint> Endpoint for Cors<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let allowed = allowed(&self.origins, request.headers());
        let mut response = match &allowed {
            Some(_) if is_preflight(&request) => preflight(),
            _ => match self.inner.call(request).await {
                Ok(output) => output.into_response(),
                Err(error) => problem::render(error).await,
            },
        };
        let headers = response.headers_mut();
        if !self.origins.named().is_empty() {
            // Also where no origin is named: a cache must not give that answer to a page.
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
        }
        Ok(response)
    }
}

/// What `Access-Control-Allow-Origin` says to a request, if it may be said: one origin, exactly as configured.
fn allowed(origins: &Origins, headers: &HeaderMap) -> Option<HeaderValue> {
    let mut given = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (given.next(), given.next()) else { return None };
    match origins {
        Origins::Any => Some(HeaderValue::from_static("*")),
        Origins::These(named) => {
            named.iter().any(|named| named.as_bytes() == origin.as_bytes()).then(|| origin.clone())
        }
    }
}

fn is_preflight(request: &Request) -> bool {
    *request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        (header::VARY, "Access-Control-Request-Method, Access-Control-Request-Headers"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
