//! The first run.

use entity::sessions::Delivery;
use poem_openapi::{
    Object, OpenApi,
    payload::{Json, Response},
};

use super::{
    Face, Tag,
    address::Email,
    passwords::PasswordRules,
    sessions::{SignedIn, TokenDelivery, email},
    wire::Created,
};
use crate::{
    config::SecretString,
    edge::{ApiResult, Visitor},
    tenancy::setup,
};

/// The operations.
pub struct Setup(pub Face);

/// Whether there is something to set up.
#[derive(Debug, Object)]
struct SetupState {
    /// Whether the platform has no administrator yet.
    required: bool,
    /// What a password must be.
    password_rules: PasswordRules,
}

/// The first platform administrator.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CreateFirstAdmin {
    /// The token that the server printed.
    #[oai(validator(min_length = 1, max_length = 256))]
    token: String,
    /// The address to sign in with.
    email: Email,
    /// How you are called.
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    /// A password, by the rules that `setup_get` says.
    #[oai(validator(min_length = 1, max_length = 256))]
    password: String,
    /// How the tokens of the first session travel.
    token_delivery: TokenDelivery,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Setup")]
impl Setup {
    /// Whether the platform waits for its first administrator.
    #[oai(path = "/setup", method = "get", operation_id = "setup_get")]
    async fn get(&self, visitor: Visitor) -> ApiResult<Json<SetupState>> {
        let required = setup::required(&self.0.gate.app, &visitor.0).await?;
        let rules = self.0.gate.app.settings.platform(&visitor.0.origin).await?;
        Ok(Json(SetupState { required, password_rules: rules.passwords.into() }))
    }

    /// Become the first platform administrator, with the token that the server printed.
    #[oai(path = "/setup", method = "post", operation_id = "setup_create")]
    async fn create(&self, visitor: Visitor, body: Json<CreateFirstAdmin>) -> ApiResult<Response<Created<SignedIn>>> {
        let body = body.0;
        let first = setup::FirstAdmin {
            token: SecretString::new(body.token),
            email: email(&body.email)?,
            name: body.name,
            password: SecretString::new(body.password),
            delivery: Delivery::from(body.token_delivery),
        };
        let (account, opened) = setup::complete(&self.0.gate.app, &visitor.0, first).await?;
        Ok(self.0.created(&visitor.0, account, opened).await?)
    }
}
