//! RFC 9457 problem documents: how every error leaves Freehold, and how many of each have left.
//!
//! This module decides what a client may learn of an [`Error`]. It logs what is internal, once, where the answer is
//! made, and never sends it. The request id is written into the document by the outermost layer
//! ([`crate::edge::context`]), because only that one sees every document, also a replayed or a foreign one.

use std::sync::atomic::{AtomicU64, Ordering};

use poem::{
    IntoResponse, Response,
    error::{MethodNotAllowedError, NotFoundError},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Object,
    error::{AuthorizationError, ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError},
    payload::Json,
};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Code, Error, Fault, Place},
    runtime::Timestamp,
};

/// The media type of problem documents (RFC 9457, section 3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, for programs and for people (RFC 9457).
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Problem {
    /// A URI that names the kind of problem and never changes its meaning.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in words; the same for every problem of this type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The last part of `type`: a stable word to compare with.
    pub code: String,
    /// What went wrong this time, in words.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The id of the request, for support: the same as in the `X-Request-Id` header and in the log.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// One entry for each fault of the request.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<ProblemFault>>,
    /// With `only_owner`: the organisations that need another owner first; the platform's own, another administrator.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_ids: Option<Vec<uuid::Uuid>>,
}

/// One fault of a request, at one place.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct ProblemFault {
    /// Where in the body: a JSON pointer (RFC 6901).
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Which query, path or header parameter, when the fault is not in the body.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// A stable word for the kind of fault, such as `required`, `format` or `unknown_field`.
    pub code: String,
    /// The fault in words.
    pub detail: String,
}

/// The one answer of every operation that is not a success.
#[derive(Debug, ApiResponse)]
pub enum ApiProblem {
    /// The request failed: a problem document (RFC 9457) says why.
    #[oai(content_type = "application/problem+json")]
    Default(
        StatusCode,
        Json<Problem>,
        /// Seconds to wait before trying again.
        #[oai(header = "Retry-After")]
        Option<u64>,
        /// How to authenticate, with a 401 (RFC 9110, 15.5.2) and with `reauthentication_required` (RFC 9470).
        #[oai(header = "WWW-Authenticate")]
        Option<String>,
    ),
}

/// The result of an operation at the API.
pub type ApiResult<T> = Result<T, ApiProblem>;

impl Problem {
    /// A document for a code, without anything particular to one request.
    pub fn of(code: Code) -> Self {
        Self {
            kind: code.type_uri(),
            title: code.title().to_owned(),
            status: code.status(),
            code: code.as_str().to_owned(),
            detail: None,
            request_id: None,
            errors: None,
            organization_ids: None,
        }
    }
}

impl From<Fault> for ProblemFault {
    fn from(fault: Fault) -> Self {
        let (pointer, parameter) = match fault.place {
            Place::Body(pointer) => (Some(pointer), None),
            Place::Parameter(name) => (None, Some(name)),
        };
        Self { pointer, parameter, code: fault.code.to_owned(), detail: fault.detail }
    }
}

impl From<Error> for ApiProblem {
    fn from(error: Error) -> Self {
        let mut problem = Problem::of(error.code());
        let (mut retry_after, mut challenge) = (None, None);
        match error {
            Error::Malformed(detail) => problem.detail = Some(detail),
            Error::OnlyOwner(ids) => problem.organization_ids = Some(ids.into_iter().map(Into::into).collect()),
            Error::Invalid(faults) => problem.errors = Some(faults.into_iter().map(Into::into).collect()),
            Error::Reauthenticate(window) => {
                let max_age = window.as_secs();
                challenge = Some(format!(r#"Bearer error="insufficient_user_authentication", max_age={max_age}"#));
            }
            Error::Throttled(wait) => retry_after = Some(whole_seconds(wait)),
            Error::Upstream { reason, retry_after: wait } => {
                tracing::warn!(%reason, "a part that Freehold depends on is not available");
                retry_after = Some(whole_seconds(wait));
            }
            Error::Internal(reason) => tracing::error!(%reason, "internal error"),
            Error::Transport(_)
            | Error::NotFound(_)
            | Error::Conflict(_)
            | Error::Rule(_)
            | Error::Unauthenticated(_)
            | Error::Forbidden(_) => {}
        }
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::Default(status, Json(problem), retry_after, challenge)
    }
}

impl ApiProblem {
    /// The answer to an error, with words of why this time. They go to the client: they name no person and no address.
    pub fn with_detail(error: Error, detail: &'static str) -> Self {
        let Self::Default(status, Json(problem), retry_after, challenge) = Self::from(error);
        Self::Default(status, Json(Problem { detail: Some(detail.to_owned()), ..problem }), retry_after, challenge)
    }
}

/// `Retry-After` counts whole seconds; a client that waits them has waited long enough.
fn whole_seconds(wait: std::time::Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// An [`Error`] as poem's own error, for endpoints that are not operations of the contract.
pub fn refuse(error: Error) -> poem::Error {
    poem::Error::from(ApiProblem::from(error))
}

/// An [`Error`] as a finished answer.
pub fn answer(error: Error) -> Response {
    ApiProblem::from(error).into_response()
}

/// The 405 of a place that has these methods, as a comma-separated list (RFC 9110, 15.5.6).
pub fn not_allowed(methods: &str) -> Response {
    let mut response = answer(Error::Transport(Code::MethodNotAllowed));
    if let Ok(methods) = HeaderValue::try_from(methods) {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    response
}

/// The answer when an endpoint panicked; the panic hook has logged why.
pub(super) fn of_panic() -> Response {
    let problem = Json(Problem::of(Code::Internal));
    ApiProblem::Default(StatusCode::INTERNAL_SERVER_ERROR, problem, None, None).into_response()
}

/// Turns whatever an endpoint failed with into a problem document: ours, poem's and poem-openapi's errors alike.
pub async fn render(error: poem::Error) -> Response {
    if error.is_from_response() {
        return error.into_response();
    }
    answer(translate(&error))
}

/// The words of poem and poem-openapi repeat the values they stumbled over; none of them is passed on.
fn translate(error: &poem::Error) -> Error {
    const INVALID: &str = "is not valid";
    if let Some(fault) = error.downcast_ref::<ParseParamError>() {
        return Error::Invalid(vec![Fault::parameter(fault.name, "invalid", INVALID)]);
    }
    if let Some(fault) = error.downcast_ref::<ParsePathError>() {
        return Error::Invalid(vec![Fault::parameter(fault.name, "format", INVALID)]);
    }
    if error.is::<ParseRequestPayloadError>() {
        return Error::field("", "invalid", "the body is not what this operation expects");
    }
    if error.is::<ContentTypeError>() {
        return Error::Transport(Code::UnsupportedMediaType);
    }
    if error.is::<NotFoundError>() {
        return Error::not_found();
    }
    if error.is::<MethodNotAllowedError>() {
        return Error::Transport(Code::MethodNotAllowed);
    }
    if error.is::<AuthorizationError>() {
        return Error::Unauthenticated(Code::Unauthenticated);
    }
    of_status(error.status()).unwrap_or_else(|| Error::internal(error))
}

/// The error that a bare status stands for; `None` when it can only be a fault of ours.
fn of_status(status: StatusCode) -> Option<Error> {
    Some(match status.as_u16() {
        401 => Error::Unauthenticated(Code::Unauthenticated),
        403 => Error::Forbidden(Code::Forbidden),
        404 => Error::not_found(),
        405 => Error::Transport(Code::MethodNotAllowed),
        408 => Error::Transport(Code::RequestTimeout),
        413 => Error::Transport(Code::PayloadTooLarge),
        415 => Error::Transport(Code::UnsupportedMediaType),
        422 => Error::Invalid(Vec::new()),
        400..=499 => Error::Malformed("the request is not understood here".to_owned()),
        _ => return None,
    })
}

/// The last touch on every answer: a problem document gets the request's id and is counted, a bare error status
/// becomes a problem document. Answers that are not errors pass untouched.
pub async fn finish(response: Response, request_id: &str, stats: &ErrorStats) -> Response {
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    let mut response = if is_bare(response.headers()) { dress(response) } else { response };
    if media_type(response.headers()) != Some(MEDIA_TYPE) {
        return response;
    }
    // Problem documents are made in memory, by this module: this neither waits nor grows.
    let bytes = response.take_body().into_bytes().await.unwrap_or_default();
    let mut problem = serde_json::from_slice(&bytes).unwrap_or_else(|_| Problem::of(Code::Internal));
    problem.request_id = Some(request_id.to_owned());
    stats.record(&problem.code);
    if response.status() == StatusCode::UNAUTHORIZED {
        // RFC 9110, 15.5.2: a 401 names a way to authenticate.
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.set_body(serde_json::to_vec(&problem).unwrap_or_default());
    response
}

/// Whether an error's answer has no document of its own: no type at all, or the plain text that poem writes.
fn is_bare(headers: &HeaderMap) -> bool {
    matches!(media_type(headers), None | Some("text/plain"))
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

/// A problem document in the place of a bare error answer, whose other headers are kept.
fn dress(bare: Response) -> Response {
    let status = bare.status();
    let error = of_status(status).unwrap_or_else(|| Error::internal(format!("an endpoint answered a bare {status}")));
    let mut response = answer(error);
    for (name, value) in bare.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

/// How many problems of each code this process has answered with since it started.
#[derive(Debug)]
pub struct ErrorStats {
    since: Timestamp,
    /// One counter for each of [`Code::ALL`], in its order.
    counters: Vec<AtomicU64>,
    /// How much of each has been taken to be written down.
    taken: Vec<AtomicU64>,
}

impl ErrorStats {
    /// All zero, counting from now.
    pub fn new(since: Timestamp) -> Self {
        let zero = || Code::ALL.iter().map(|_| AtomicU64::new(0)).collect();
        Self { since, counters: zero(), taken: zero() }
    }

    /// Counts one answer. A code that is none of ours is not counted.
    pub fn record(&self, code: &str) {
        let place = Code::ALL.iter().position(|known| known.as_str() == code);
        if let Some(counter) = place.and_then(|place| self.counters.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// When counting began.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// What has been counted since it was last taken.
    pub fn take(&self) -> Vec<(Code, u64)> {
        self.untaken(|taken, count| taken.fetch_max(count, Ordering::Relaxed))
    }

    /// The same, left where it is.
    pub fn pending(&self) -> Vec<(Code, u64)> {
        self.untaken(|taken, _| taken.load(Ordering::Relaxed))
    }

    fn untaken(&self, before: impl Fn(&AtomicU64, u64) -> u64) -> Vec<(Code, u64)> {
        let counts = Code::ALL.iter().zip(&self.counters).zip(&self.taken);
        let new = counts.map(|((code, counter), taken)| {
            let count = counter.load(Ordering::Relaxed);
            (*code, count.saturating_sub(before(taken, count)))
        });
        new.filter(|(_, count)| *count > 0).collect()
    }

    /// Gives back what was taken and could not be written down.
    pub fn give_back(&self, counted: &[(Code, u64)]) {
        for (code, count) in counted {
            let place = Code::ALL.iter().position(|known| known == code);
            if let Some(taken) = place.and_then(|place| self.taken.get(place)) {
                taken.fetch_sub(*count, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::runtime::Clock;

    async fn finished(response: Response) -> (Response, serde_json::Value, ErrorStats) {
        let stats = ErrorStats::new(Clock::default().now());
        let mut response = finish(response, "req-1", &stats).await;
        let body = response.take_body().into_bytes().await.unwrap();
        (response, serde_json::from_slice(&body).unwrap(), stats)
    }

    #[tokio::test]
    async fn every_document_has_the_request_id_and_is_counted() {
        let fault = Fault::parameter("limit", "range", "must be between 1 and 200");
        let (response, body, stats) = finished(answer(Error::Invalid(vec![fault]))).await;
        assert_eq!(response.status(), 422);
        assert_eq!(response.content_type(), Some(MEDIA_TYPE));
        assert_eq!(
            body,
            serde_json::json!({
                "type": "https://freehold.dev/problems/invalid_request", "title": "Some fields are not valid",
                "status": 422, "code": "invalid_request", "request_id": "req-1",
                "errors": [{"parameter": "limit", "code": "range", "detail": "must be between 1 and 200"}],
            })
        );
        assert_eq!(stats.take(), [(Code::InvalidRequest, 1)]);
        assert_eq!(stats.take(), []);
        stats.give_back(&[(Code::InvalidRequest, 1)]);
        stats.record("invalid_request");
        assert_eq!(stats.take(), [(Code::InvalidRequest, 2)]);
    }

    #[tokio::test]
    async fn what_is_internal_stays_inside() {
        let (response, body, _) = finished(answer(Error::internal("password=hunter2"))).await;
        assert_eq!(response.status(), 500);
        assert!(!body.to_string().contains("hunter2"));
        assert!(body.get("detail").is_none());
        let foreign = poem::Error::from_string("password=hunter2", StatusCode::INTERNAL_SERVER_ERROR);
        let (response, body, _) = finished(render(foreign).await).await;
        assert_eq!(response.status(), 500);
        assert!(!body.to_string().contains("hunter2"));
    }

    #[tokio::test]
    async fn poems_errors_become_documents() {
        let cases: Vec<(poem::Error, &str)> = vec![
            (NotFoundError.into(), "not_found"),
            (MethodNotAllowedError.into(), "method_not_allowed"),
            (ParsePathError { name: "id", reason: "secret".into() }.into(), "invalid_request"),
            (ParseRequestPayloadError { reason: "secret".into() }.into(), "invalid_request"),
            (ContentTypeError::ExpectContentType.into(), "unsupported_media_type"),
            (StatusCode::IM_A_TEAPOT.into(), "malformed_request"),
        ];
        for (error, code) in cases {
            let (_, body, _) = finished(render(error).await).await;
            assert_eq!(body["code"], code);
            assert!(!body.to_string().contains("secret"));
        }
    }

    #[tokio::test]
    async fn a_401_says_how_and_a_429_says_when() {
        let (response, _, _) = finished(answer(Error::Unauthenticated(Code::SessionEnded))).await;
        assert_eq!(response.header("www-authenticate"), Some("Bearer"));
        let (response, _, _) = finished(answer(Error::Throttled(Duration::from_millis(1500)))).await;
        assert_eq!(response.header("retry-after"), Some("2"));
    }

    #[tokio::test]
    async fn a_bare_error_status_becomes_a_document() {
        let bare = Response::builder().status(StatusCode::NOT_FOUND).header("x-kept", "1").finish();
        let (response, body, _) = finished(bare).await;
        assert_eq!(body["code"], "not_found");
        assert_eq!(response.header("x-kept"), Some("1"));
    }
}
