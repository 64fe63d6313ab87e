//! The devices that a person trusts.

use chrono::{DateTime, Utc};
use entity::TrustedDeviceId;
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::{
    Face, Tag,
    wire::{Done, Listed},
};
use crate::{
    accounts::trusted_devices,
    edge::ApiResult,
    mfa::trusted,
    types::{Caller, PageRequest},
};

/// The operations.
pub struct TrustedDevices(pub Face);

/// A browser or program in which the password is enough to sign in, because a second factor was proven there.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct TrustedDevice {
    /// Its id.
    id: Uuid,
    /// The address of the last sign-in on it.
    ip: Option<String>,
    /// The client.
    user_agent: Option<String>,
    /// Since when it is trusted.
    created_at: DateTime<Utc>,
    /// When somebody last signed in on it.
    last_used_at: DateTime<Utc>,
    /// Until when it is trusted.
    expires_at: DateTime<Utc>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::SecondFactors")]
impl TrustedDevices {
    /// One's own trusted devices, newest first.
    #[oai(path = "/me/trusted-devices", method = "get", operation_id = "trusted_devices_list")]
    async fn list(
        &self,
        caller: Caller,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<TrustedDevice>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = trusted_devices::list(&self.0.gate.app, &caller, page).await?;
        Ok(Listed::page(request, page, TrustedDevice::from))
    }

    /// Trust one of one's own devices no more.
    ///
    /// Sessions on it go on.
    #[oai(path = "/me/trusted-devices/:device_id", method = "delete", operation_id = "trusted_devices_revoke")]
    async fn revoke(&self, caller: Caller, device_id: Path<Uuid>) -> ApiResult<Done> {
        trusted_devices::revoke(&self.0.gate.app, &caller, TrustedDeviceId(device_id.0)).await?;
        Ok(Done::Done)
    }

    /// Trust none of one's own devices any more.
    #[oai(path = "/me/trusted-devices", method = "delete", operation_id = "trusted_devices_revoke_all")]
    async fn revoke_all(&self, caller: Caller) -> ApiResult<Done> {
        trusted_devices::revoke_all(&self.0.gate.app, &caller).await?;
        Ok(Done::Done)
    }
}

impl From<trusted::TrustedDevice> for TrustedDevice {
    fn from(device: trusted::TrustedDevice) -> Self {
        Self {
            id: device.id.into(),
            ip: device.seen.address,
            user_agent: device.seen.user_agent,
            created_at: device.created_at,
            last_used_at: device.last_used_at,
            expires_at: device.expires_at,
        }
    }
}
