//! The one error of Freehold and the closed list of codes that clients may rely on.
//!
//! Every module answers with [`Error`]; the edge turns it into an RFC 9457 problem document. What is
//! internal stays in [`Error::Internal`], is logged once where the answer is made, and is never sent.

use std::{fmt, time::Duration};

use entity::OrganizationId;

/// The result of everything in Freehold that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, sorted by who has to react.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request can't be parsed. The text goes to the client: it says where, and never repeats a value.
    #[error("malformed request: {0}")]
    Malformed(String),
    /// The request's outer form is refused before its content is looked at: its method, its media type, its
    /// size, the time it took to arrive.
    #[error("refused at the edge: {0}")]
    Transport(Code),
    /// The object does not exist for this caller; somebody else's object looks the same.
    #[error("not found")]
    NotFound(Code),
    /// The request was understood but the present state stands against it.
    #[error("conflict: {0}")]
    Conflict(Code),
    /// These organisations would be without anybody at the top.
    #[error("the only owner of {0:?}")]
    OnlyOwner(Vec<OrganizationId>),
    /// One or more fields of the request break the contract.
    #[error("invalid request: {0:?}")]
    Invalid(Vec<Fault>),
    /// A rule of the product forbids it for this caller or at this time.
    #[error("refused by rule: {0}")]
    Rule(Code),
    /// The caller is not known.
    #[error("not authenticated: {0}")]
    Unauthenticated(Code),
    /// The caller is known and may not do this.
    #[error("forbidden: {0}")]
    Forbidden(Code),
    /// The caller is known and may do this, but has to prove again who they are first.
    #[error("re-authentication required within {0:?}")]
    Reauthenticate(Duration),
    /// Too often; come back after the given time.
    #[error("throttled for {0:?}")]
    Throttled(Duration),
    /// A part that Freehold depends on did not answer, or Freehold is saturated; retry after the time.
    #[error("unavailable: {reason}")]
    Upstream {
        /// For the log only.
        reason: String,
        /// What `Retry-After` tells the client.
        retry_after: Duration,
    },
    /// A fault of ours. The text goes to the log, never to the client.
    #[error("internal: {0}")]
    Internal(String),
}

impl Error {
    /// An internal fault with a text for the log.
    pub fn internal(reason: impl fmt::Display) -> Self {
        Self::Internal(reason.to_string())
    }

    /// One fault at one place of the body.
    pub fn field(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::body(pointer, code, detail)])
    }

    /// The plain 404.
    pub fn not_found() -> Self {
        Self::NotFound(Code::NotFound)
    }

    /// The stable code that the client sees.
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed(_) => Code::MalformedRequest,
            Self::Transport(code)
            | Self::NotFound(code)
            | Self::Conflict(code)
            | Self::Rule(code)
            | Self::Unauthenticated(code)
            | Self::Forbidden(code) => *code,
            Self::OnlyOwner(_) => Code::OnlyOwner,
            Self::Invalid(_) => Code::InvalidRequest,
            Self::Reauthenticate(_) => Code::ReauthenticationRequired,
            Self::Throttled(_) => Code::TooManyRequests,
            Self::Upstream { .. } => Code::Unavailable,
            Self::Internal(_) => Code::Internal,
        }
    }
}

/// Where a fault is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A JSON pointer (RFC 6901) into the body.
    Body(String),
    /// The name of a path, query or header parameter.
    Parameter(String),
}

/// One fault of one field: the client can show it beside the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// A stable word for the kind of fault, such as `required`, `format`, `unknown_field`.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: String,
}

impl Fault {
    /// A fault in the body at a JSON pointer.
    pub fn body(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { place: Place::Body(pointer.into()), code, detail: detail.into() }
    }

    /// A fault in a parameter.
    pub fn parameter(name: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { place: Place::Parameter(name.into()), code, detail: detail.into() }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $title:literal;)*) => {
        /// The stable codes of problem documents. A code never changes its meaning; adding one is free.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* #[doc = $title] $name,)* }

        impl Code {
            /// Every code, for the documentation and the counters.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];
            /// The word in the document's `code` and at the end of its `type`.
            pub const fn as_str(self) -> &'static str { match self { $(Code::$name => $text,)* } }
            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 { match self { $(Code::$name => $status,)* } }
            /// The title for people.
            pub const fn title(self) -> &'static str { match self { $(Code::$name => $title,)* } }
        }
    };
}

codes! {
    MalformedRequest = "malformed_request", 400, "The request could not be parsed";
    Unauthenticated = "unauthenticated", 401, "Sign in first";
    InvalidCredentials = "invalid_credentials", 401, "E-mail address or password is wrong";
    SessionEnded = "session_ended", 401, "This session has ended";
    PasskeyNotAccepted = "passkey_not_accepted", 401, "This passkey does not sign in here";
    ChallengeNotValid = "challenge_not_valid", 401, "This sign-in is not waiting for a second factor any more: begin again";
    ApiKeyNotValid = "api_key_not_valid", 401, "This API key is not valid here and now";
    ApiKeyMistyped = "api_key_mistyped", 401, "This is not a whole API key: it was cut off or mistyped";
    ApiKeyRequired = "api_key_required", 401, "Call this with the API key of a service account";
    Forbidden = "forbidden", 403, "Your role does not allow this";
    OrganizationNotActive = "organization_not_active", 403, "Switch to this organisation first";
    ReauthenticationRequired = "reauthentication_required", 403, "Prove again who you are first";
    PeopleOnly = "people_only", 403, "Only people do this; a service account can't";
    WrongPassword = "wrong_password", 403, "The password is wrong";
    SecondFactorRequired = "second_factor_required", 403, "Prove your second factor as well";
    WrongCode = "wrong_code", 403, "The code is wrong, too old, or was used before";
    WrongPasskey = "wrong_passkey", 403, "This passkey is not yours, was not made for this, or did not sign what was asked";
    EmailCodesNotAllowed = "email_codes_not_allowed", 403, "Codes by e-mail do not count here: set up an authenticator app or a passkey";
    MfaEnrolmentRequired = "mfa_enrolment_required", 403, "Your role demands a second factor: set one up first";
    MfaRequired = "mfa_required", 403, "Your role demands a second factor: prove yours in this session first";
    ActingEnded = "acting_ended", 403, "Your access to this organisation has ended";
    CrossSiteRequest = "cross_site_request", 403, "The request did not prove that it comes from this site";
    WayNotAllowed = "way_not_allowed", 403, "This way to sign in is switched off here";
    SignUpByInvitation = "sign_up_by_invitation", 403, "People join by invitation here";
    HttpsRequired = "https_required", 403, "Use https";
    RoleAboveOwn = "role_above_own", 403, "Nobody grants or changes a role above their own";
    AttributeNotEditable = "attribute_not_editable", 403, "A field of this profile is not yours to change";
    OwnGrace = "own_grace", 403, "Nobody gives themselves more time to do without a second factor";
    OwnRecovery = "own_recovery", 403, "Nobody approves their own recovery";
    OwnRole = "own_role", 403, "Nobody changes their own role upward";
    SignInAgain = "sign_in_again", 403, "This organisation asks for a newer sign-in: sign in again";
    CriticalAlertStays = "critical_alert_stays", 403, "Critical alerts of the installation, and alerts about alerts, can't be muted";
    NotFound = "not_found", 404, "Not found";
    PasswordResetNotValid = "password_reset_not_valid", 404, "This link to a new password is not valid any more";
    InvitationNotValid = "invitation_not_valid", 404, "This invitation is not valid any more";
    SignUpNotValid = "sign_up_not_valid", 404, "This sign-up link is not valid any more";
    EmailLinkNotValid = "email_link_not_valid", 404, "This link is not valid any more, or not for the account that is signed in";
    RecoveryNotValid = "recovery_not_valid", 404, "This recovery is not open any more";
    MethodNotAllowed = "method_not_allowed", 405, "This method is not allowed here";
    RequestTimeout = "request_timeout", 408, "The request took too long to arrive";
    Conflict = "conflict", 409, "The present state stands against this";
    LastOwner = "last_owner", 409, "An organisation keeps at least one owner";
    OnlyOwner = "only_owner", 409, "This person is the only owner of an organisation, or the last administrator of the platform";
    SecondFactorEnrolled = "second_factor_enrolled", 409, "There is an authenticator app already; remove it first";
    PasskeysUnavailable = "passkeys_unavailable", 409, "There are no passkeys here: the server is not reached by a name and https";
    PasskeyCeremonyNotValid = "passkey_ceremony_not_valid", 409, "This was begun too long ago, elsewhere, or has ended: begin again";
    PasskeyKnown = "passkey_known", 409, "This passkey is known already";
    TooManyPasskeys = "too_many_passkeys", 409, "One has at most 20 passkeys";
    RecoveryUnavailable = "recovery_unavailable", 409, "This account has no recovery address: ask an administrator of your organisation";
    RecoveryWaits = "recovery_waits", 409, "This link does not work yet: the letter says from when on it does";
    AccountErased = "account_erased", 409, "This person has been erased";
    AlreadyMember = "already_member", 409, "This person is a member already";
    EventTypeDiffers = "event_type_differs", 409, "An event type of this code is kept otherwise, or happens to something else";
    TooManyEventTypes = "too_many_event_types", 409, "The organisation has as many event types as it can";
    AlreadyHeld = "already_held", 409, "A hold on this organisation's record stands already";
    AlreadyActing = "already_acting", 409, "This session acts in an organisation already; stop that first";
    AlreadyInvited = "already_invited", 409, "This person has a pending invitation already";
    TeamNameTaken = "team_name_taken", 409, "Another team has this name";
    ImportOffset = "import_offset", 409, "The part does not begin where the file ends so far";
    ImportOfAnother = "import_of_another", 409, "Whoever began an import starts it";
    ImportState = "import_state", 409, "The import is not in a state in which this can be done";
    TooManyImports = "too_many_imports", 409, "Too many imports of this organisation have not ended";
    TooManyTeams = "too_many_teams", 409, "An organisation has at most 500 teams";
    CustomRoleNameTaken = "custom_role_name_taken", 409, "Another role has this name";
    TooManyCustomRoles = "too_many_custom_roles", 409, "An organisation has at most 100 roles of its own";
    CustomRoleHeld = "custom_role_held", 409, "Somebody holds this role; take it from them first, or delete it with what they hold";
    ServiceAccountNameTaken = "service_account_name_taken", 409, "Another service account has this name";
    TooManyServiceAccounts = "too_many_service_accounts", 409, "An organisation has at most 100 service accounts";
    TooManyApiKeys = "too_many_api_keys", 409, "A service account has at most 10 keys that are not revoked";
    AttributeKeyTaken = "attribute_key_taken", 409, "Another attribute has this key";
    TooManyAttributes = "too_many_attributes", 409, "An organisation has at most 50 profile attributes";
    AttributeInUse = "attribute_in_use", 409, "Members have values of this attribute";
    DomainNotAllowed = "domain_not_allowed", 409, "This organisation does not take people with addresses of this domain";
    AlertState = "alert_state", 409, "The alert is not in a state in which this can be done";
    AlertOpenAlready = "alert_open_already", 409, "A newer alert about the same is open";
    AlertRuleNameTaken = "alert_rule_name_taken", 409, "Another rule has this name";
    TooManyAlertRules = "too_many_alert_rules", 409, "An organisation has at most 50 alert rules of its own";
    KeyInUse = "key_in_use", 409, "This key is not retired, or something is still under it";
    BlockedByPlatform = "blocked_by_platform", 409, "Only those who blocked this account can unblock it";
    SlugTaken = "slug_taken", 409, "Another organisation has this short name";
    InvitationAccountMismatch = "invitation_account_mismatch", 409, "The invitation is for another e-mail address";
    SignUpDecided = "sign_up_decided", 409, "This sign-up has been decided already, or its time is over";
    EmailTaken = "email_taken", 409, "Another account has this e-mail address";
    EmailVerified = "email_verified", 409, "This e-mail address has been verified already";
    SetupNotAvailable = "setup_not_available", 409, "Setup has been done, or the setup token is not valid";
    OperationInProgress = "operation_in_progress", 409, "The same is being done already";
    IdempotencyInProgress = "idempotency_in_progress", 409, "The first request with this key is still running";
    IdempotencyAnswerLost = "idempotency_answer_lost", 409, "The first request with this key was carried out, but its answer was not kept";
    PreconditionFailed = "precondition_failed", 412, "The object has changed since you read it";
    PayloadTooLarge = "payload_too_large", 413, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", 415, "The body must be application/json";
    UpgradeRequired = "upgrade_required", 426, "Open this as a WebSocket";
    InvalidRequest = "invalid_request", 422, "Some fields are not valid";
    IdempotencyKeyReused = "idempotency_key_reused", 422, "This key was used for another request";
    TooManyRequests = "too_many_requests", 429, "Too many requests";
    HeadersTooLarge = "headers_too_large", 431, "The request's headers are too large";
    Internal = "internal", 500, "Something went wrong on our side";
    Unavailable = "unavailable", 503, "Not available right now";
}

impl Code {
    /// The RFC 9457 `type`: a URI that stays the same for ever.
    pub fn type_uri(self) -> String {
        format!("https://freehold.dev/problems/{}", self.as_str())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
