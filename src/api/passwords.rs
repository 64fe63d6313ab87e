//! Passwords: what they must be, changing one's own, and choosing a new one with a link.

use chrono::{DateTime, Utc};
use poem::Request;
use poem_openapi::{ApiResponse, Object, OpenApi, payload::Json};

use super::{Face, Tag, address::Email, sessions::email, wire::Done};
use crate::{
    accounts::{LONGEST, Rules, STRONGEST, Verdict, resets},
    authz::Limit,
    config::SecretString,
    edge::{ApiResult, Visitor, limits::Tally},
    settings::sections::PROFILES,
    tenancy::passwords,
    types::Caller,
};

/// The operations.
pub struct Passwords(pub Face);

/// What a new password must be. Besides, it must not contain its owner's name or address, nor be one of the commonest.
#[derive(Clone, Debug, Object)]
pub struct PasswordRules {
    /// The fewest characters.
    minimum_length: u32,
    /// The most characters.
    maximum_length: u32,
    /// Whether it must have an upper-case letter.
    require_upper_case: bool,
    /// Whether it must have a lower-case letter.
    require_lower_case: bool,
    /// Whether it must have a digit.
    require_digit: bool,
    /// Whether it must have a character that is neither letter nor digit.
    require_special: bool,
    /// The least strength, as zxcvbn estimates it: from 0, which is any, to 4.
    minimum_strength: u32,
    /// How many of the last passwords, the present one among them, can't be chosen again.
    history: u32,
}

/// A built-in set of rules.
#[derive(Clone, Debug, Object)]
struct PasswordProfile {
    /// Its name.
    name: String,
    /// For people.
    title: String,
    /// For people.
    description: String,
    /// The rules.
    rules: PasswordRules,
}

/// The built-in sets of rules.
#[derive(Clone, Debug, Object)]
struct PasswordProfiles {
    /// The usual one first.
    items: Vec<PasswordProfile>,
}

/// One's own password, as far as anybody is told.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct OwnPassword {
    /// Since when it is one's own; absent for somebody who has none.
    changed_at: Option<DateTime<Utc>>,
    /// What a new one must be: the strictest of the platform and all of one's organisations.
    rules: PasswordRules,
}

/// A change of one's own password.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct UpdatePassword {
    /// The present password. Wrong ones count as those of a re-authentication.
    #[oai(validator(min_length = 1, max_length = 256))]
    current_password: String,
    /// The new one.
    #[oai(validator(min_length = 1, max_length = 256))]
    password: String,
}

/// A password that one may choose.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CheckOwnPassword {
    /// The password.
    #[oai(validator(min_length = 1, max_length = 256))]
    password: String,
}

/// A password that somebody with a link may choose.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CheckPassword {
    /// The token of the link: of an invitation, a sign-up, the first setup, or to a new password.
    #[oai(validator(min_length = 1, max_length = 256))]
    token: String,
    /// The password.
    #[oai(validator(min_length = 1, max_length = 256))]
    password: String,
    /// How its owner will be called, where the link does not say.
    #[oai(validator(min_length = 1, max_length = 200), skip_serializing_if_is_none)]
    name: Option<String>,
    /// The address of its owner, where the link does not say.
    #[oai(skip_serializing_if_is_none)]
    email: Option<Email>,
}

/// A rule that a password does not meet.
#[derive(Clone, Debug, Object)]
struct UnmetRule {
    /// A stable word: `too_short`, `too_long`, `no_upper_case`, `no_lower_case`, `no_digit`, `no_special`, `personal`,
    /// `common` or `too_weak`.
    code: String,
    /// In words.
    detail: String,
}

/// What is to be said of a password. Whether its owner had it before is found out only when it is chosen.
#[derive(Clone, Debug, Object)]
struct PasswordVerdict {
    /// Whether it would be taken, unless its owner had it before.
    acceptable: bool,
    /// How hard it is to guess, as zxcvbn estimates it: from 0 to 4.
    strength: u32,
    /// The most that `strength` can be.
    maximum_strength: u32,
    /// The rules that it does not meet.
    unmet: Vec<UnmetRule>,
}

/// Whose password is to be replaced.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct RequestPasswordReset {
    /// The e-mail address of the account.
    email: Email,
}

/// The answer to whoever has asked for a new password.
#[derive(ApiResponse)]
enum Asked {
    /// If there is such an account, and it may sign in with a password, its owner is sent a link.
    #[oai(status = 202)]
    Asked,
}

/// The token of a link to a new password.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct PasswordResetToken {
    /// The token.
    #[oai(validator(min_length = 1, max_length = 256))]
    token: String,
}

/// What a link to a new password is for.
#[derive(Clone, Debug, Object)]
struct PasswordResetPreview {
    /// The address of the account.
    email: String,
    /// Until when the link works.
    expires_at: DateTime<Utc>,
    /// What the new password must be.
    password_rules: PasswordRules,
}

/// A new password, with a link.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CompletePasswordReset {
    /// The token of the link.
    #[oai(validator(min_length = 1, max_length = 256))]
    token: String,
    /// The new password.
    #[oai(validator(min_length = 1, max_length = 256))]
    password: String,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Passwords")]
impl Passwords {
    /// Ask for a link to a new password.
    ///
    /// The answer is the same, in the same time, whether or not the address has an account. The link works once, for
    /// half an hour, and only the newest does. So many (5 an hour, unless the server is configured otherwise) are answered
    /// by address and by network; then it is 429.
    #[oai(path = "/password-resets", method = "post", operation_id = "password_resets_create")]
    async fn request_reset(
        &self,
        visitor: Visitor,
        request: &Request,
        body: Json<RequestPasswordReset>,
    ) -> ApiResult<Asked> {
        let (gate, tally) = (&self.0.gate, Tally::of(request));
        let left = resets::request(&gate.app, &visitor.0, &email(&body.0.email)?).await;
        gate.limits.note(&tally, Limit::PasswordReset, &left);
        left?;
        Ok(Asked::Asked)
    }

    /// What a link to a new password is for.
    #[oai(path = "/password-resets/lookup", method = "post", operation_id = "password_resets_lookup")]
    async fn look_up_reset(
        &self,
        visitor: Visitor,
        body: Json<PasswordResetToken>,
    ) -> ApiResult<Json<PasswordResetPreview>> {
        let token = SecretString::new(body.0.token);
        let (reset, rules) = passwords::look_up_reset(&self.0.gate.app, &visitor.0, &token).await?;
        let (email, expires_at) = (reset.account.email, reset.expires_at);
        Ok(Json(PasswordResetPreview { email, expires_at, password_rules: rules.into() }))
    }

    /// Choose a new password with a link.
    ///
    /// It ends every session of the account and opens none: sign in afterwards.
    #[oai(path = "/password-resets/complete", method = "post", operation_id = "password_resets_complete")]
    async fn complete_reset(&self, visitor: Visitor, body: Json<CompletePasswordReset>) -> ApiResult<Done> {
        let CompletePasswordReset { token, password } = body.0;
        let (token, password) = (SecretString::new(token), SecretString::new(password));
        passwords::complete_reset(&self.0.gate.app, &visitor.0, token, password).await?;
        Ok(Done::Done)
    }

    /// What is to be said of a password that somebody with a link may choose.
    #[oai(path = "/password-checks", method = "post", operation_id = "passwords_check")]
    async fn check(&self, visitor: Visitor, body: Json<CheckPassword>) -> ApiResult<Json<PasswordVerdict>> {
        let CheckPassword { token, password, name, email: address } = body.0;
        let (token, password) = (SecretString::new(token), SecretString::new(password));
        let email = address.as_ref().map(email).transpose()?;
        let candidate = passwords::Candidate { password, name, email };
        Ok(Json(passwords::judge_by_link(&self.0.gate.app, &visitor.0, &token, candidate).await?.into()))
    }

    /// What is to be said of a password that one may choose for oneself.
    #[oai(path = "/me/password/check", method = "post", operation_id = "password_check")]
    async fn check_own(&self, caller: Caller, body: Json<CheckOwnPassword>) -> ApiResult<Json<PasswordVerdict>> {
        let password = SecretString::new(body.0.password);
        Ok(Json(passwords::judge_own(&self.0.gate.app, &caller, &password).await?.into()))
    }

    /// Since when one has one's password, and what a new one must be.
    #[oai(path = "/me/password", method = "get", operation_id = "password_get")]
    async fn own(&self, caller: Caller) -> ApiResult<Json<OwnPassword>> {
        let own = passwords::own(&self.0.gate.app, &caller).await?;
        Ok(Json(OwnPassword { changed_at: own.since, rules: own.rules.into() }))
    }

    /// Change one's own password.
    ///
    /// All of one's other sessions end, no device is a known one any more, and a letter says so. Three wrong
    /// `current_password` in five minutes close this operation, and re-authentication, until one of them is five minutes
    /// old.
    #[oai(path = "/me/password", method = "put", operation_id = "password_update")]
    async fn update(&self, caller: Caller, body: Json<UpdatePassword>) -> ApiResult<Done> {
        let UpdatePassword { current_password, password } = body.0;
        let (current, new) = (SecretString::new(current_password), SecretString::new(password));
        passwords::change(&self.0.gate.app, &caller, current, new).await?;
        Ok(Done::Done)
    }

    /// The built-in sets of rules for passwords, as values for the settings.
    #[oai(path = "/password-profiles", method = "get", operation_id = "password_profiles_list", tag = "Tag::Settings")]
    async fn profiles(&self, caller: Caller) -> ApiResult<Json<PasswordProfiles>> {
        let _ = caller;
        let items = PROFILES.iter().map(|profile| PasswordProfile {
            name: profile.name.to_owned(),
            title: profile.title.to_owned(),
            description: profile.about.to_owned(),
            rules: profile.values.into(),
        });
        Ok(Json(PasswordProfiles { items: items.collect() }))
    }
}

impl From<Rules> for PasswordRules {
    fn from(rules: Rules) -> Self {
        Self {
            minimum_length: rules.minimum_length,
            maximum_length: u32::try_from(LONGEST).unwrap_or(u32::MAX),
            require_upper_case: rules.require_upper_case,
            require_lower_case: rules.require_lower_case,
            require_digit: rules.require_digit,
            require_special: rules.require_special,
            minimum_strength: rules.minimum_strength,
            history: rules.history,
        }
    }
}

impl From<Verdict> for PasswordVerdict {
    fn from(verdict: Verdict) -> Self {
        let unmet = verdict.unmet.into_iter().map(|(code, detail)| UnmetRule { code: code.to_owned(), detail });
        let unmet: Vec<_> = unmet.collect();
        Self {
            acceptable: unmet.is_empty(),
            strength: verdict.strength.into(),
            maximum_strength: STRONGEST.into(),
            unmet,
        }
    }
}
