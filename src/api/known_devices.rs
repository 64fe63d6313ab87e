//! The devices that a person has signed in on.

use chrono::{DateTime, Utc};
use entity::KnownDeviceId;
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
    accounts,
    edge::ApiResult,
    types::{Caller, PageRequest},
};

/// The operations.
pub struct KnownDevices(pub Face);

/// A browser or program that a person has signed in on. Wrong passwords that strangers give elsewhere don't lock it out.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct KnownDevice {
    /// Its id.
    id: Uuid,
    /// The address of the last sign-in on it.
    ip: Option<String>,
    /// The client.
    user_agent: Option<String>,
    /// When the person first signed in on it.
    created_at: DateTime<Utc>,
    /// When they last did.
    last_seen_at: DateTime<Utc>,
    /// Until when it is known.
    expires_at: DateTime<Utc>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Me")]
impl KnownDevices {
    /// One's own known devices, newest first.
    #[oai(path = "/me/known-devices", method = "get", operation_id = "known_devices_list")]
    async fn list(
        &self,
        caller: Caller,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<KnownDevice>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = accounts::known_devices(&self.0.gate.app, &caller, page).await?;
        Ok(Listed::page(request, page, KnownDevice::from))
    }

    /// Have one of one's own known devices forgotten.
    ///
    /// Sessions on it go on.
    #[oai(path = "/me/known-devices/:device_id", method = "delete", operation_id = "known_devices_forget")]
    async fn forget(&self, caller: Caller, device_id: Path<Uuid>) -> ApiResult<Done> {
        accounts::forget(&self.0.gate.app, &caller, KnownDeviceId(device_id.0)).await?;
        Ok(Done::Done)
    }

    /// Have all of one's own known devices forgotten.
    #[oai(path = "/me/known-devices", method = "delete", operation_id = "known_devices_forget_all")]
    async fn forget_all(&self, caller: Caller) -> ApiResult<Done> {
        accounts::forget_all(&self.0.gate.app, &caller).await?;
        Ok(Done::Done)
    }
}

impl From<accounts::KnownDevice> for KnownDevice {
    fn from(device: accounts::KnownDevice) -> Self {
        Self {
            id: device.id.into(),
            ip: device.seen.address,
            user_agent: device.seen.user_agent,
            created_at: device.created_at,
            last_seen_at: device.last_seen_at,
            expires_at: device.expires_at,
        }
    }
}
