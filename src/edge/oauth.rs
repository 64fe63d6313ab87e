//! Errors as OAuth has them, for the operations that follow its standards: an object with `error` (RFC 6749, 5.2)
//! instead of a problem document. Clients of those know no other.

use poem::http::StatusCode;
use poem_openapi::{ApiResponse, Object, payload::Json};

use crate::{
    authz::OperationPolicy,
    error::{Code, Error},
};

/// The standards whose errors these are.
const STANDARDS: [&str; 2] = ["RFC 7009", "RFC 7662"];
/// How to authenticate, with a 401.
const CHALLENGE: &str = r#"Bearer, Basic realm="freehold""#;

/// An error of an operation that follows an OAuth standard.
#[derive(Debug, Object)]
pub struct OAuthError {
    /// `invalid_request`, `invalid_client`, `unauthorized_client`, `temporarily_unavailable` or `server_error`.
    error: String,
    /// The error in words.
    error_description: String,
}

/// The one answer of such an operation that is not a success.
#[derive(Debug, ApiResponse)]
pub enum OAuthProblem {
    /// The request failed (RFC 6749, 5.2).
    Default(
        StatusCode,
        Json<OAuthError>,
        /// Seconds to wait before trying again.
        #[oai(header = "Retry-After")]
        Option<u64>,
        /// How to authenticate, with a 401.
        #[oai(header = "WWW-Authenticate")]
        Option<String>,
    ),
}

/// The result of such an operation.
pub type OAuthResult<T> = Result<T, OAuthProblem>;

/// Whether an operation answers errors in this form.
pub(super) fn speaks(policy: &OperationPolicy) -> bool {
    policy.protocol.as_deref().is_some_and(|protocol| STANDARDS.contains(&protocol))
}

/// An [`Error`] as poem's own error, in this form.
pub(super) fn refuse(error: Error) -> poem::Error {
    poem::Error::from(OAuthProblem::from(error))
}

impl From<Error> for OAuthProblem {
    fn from(error: Error) -> Self {
        let code = error.code();
        let (mut retry_after, mut challenge) = (None, None);
        let mut status = code.status();
        let word = match error {
            Error::Unauthenticated(_) => {
                challenge = Some(CHALLENGE.to_owned());
                "invalid_client"
            }
            Error::Forbidden(_) | Error::Rule(_) | Error::Reauthenticate(_) => "unauthorized_client",
            Error::Throttled(wait) => {
                retry_after = Some(wait.as_secs() + 1);
                "temporarily_unavailable"
            }
            Error::Upstream { reason, retry_after: wait } => {
                tracing::warn!(%reason, "a part that Freehold depends on is not available");
                retry_after = Some(wait.as_secs().max(1));
                "temporarily_unavailable"
            }
            Error::Internal(reason) => {
                tracing::error!(%reason, "internal error");
                "server_error"
            }
            Error::Transport(_) => "invalid_request",
            Error::Malformed(_) | Error::NotFound(_) | Error::Conflict(_) | Error::OnlyOwner(_) | Error::Invalid(_) => {
                status = Code::MalformedRequest.status();
                "invalid_request"
            }
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let object = OAuthError { error: word.to_owned(), error_description: code.title().to_owned() };
        Self::Default(status, Json(object), retry_after, challenge)
    }
}
