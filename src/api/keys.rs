//! The keys that seal what is protected, and their rotation.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{DataKeyId, KeyRotationId, data_keys, key_rotations};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    wire::{Created, Listed},
};
use crate::{
    edge::ApiResult,
    operations::keys::{self, Inventory, Preview, Rotation},
    types::{Caller, PageRequest},
    vault::Custodian,
};

/// The operations.
pub struct Keys(pub Face);

/// Where a data key is in its life.
#[derive(Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum DataKeyState {
    /// Instances get to know it; nothing is sealed under it yet.
    Pending,
    /// It seals.
    Active,
    /// It seals no more; what is under it is being sealed anew.
    Retiring,
    /// Nothing is sealed under it; what people are found by is being removed.
    Closing,
    /// Nothing is under it. It can be destroyed.
    Retired,
    /// It is gone for good.
    Destroyed,
}

/// A key that seals the values of a scope.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct DataKey {
    /// Its id, which is part of every value that it sealed.
    id: Uuid,
    /// The scope.
    scope: String,
    /// Its number in the scope.
    version: i32,
    /// Where it is in its life.
    state: DataKeyState,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it began to seal.
    activated_at: Option<DateTime<Utc>>,
    /// When it was retired.
    retired_at: Option<DateTime<Utc>>,
    /// When it was destroyed.
    destroyed_at: Option<DateTime<Utc>>,
    /// How many values are under it, if that was asked for.
    values: Option<i64>,
}

/// Who keeps the root key.
#[derive(Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum RootKeyCustodian {
    /// The servers, which are given it by their environment or a file.
    Server,
    /// A Transit engine, which never gives it out.
    Transit,
}

/// The data keys of the installation.
#[derive(Debug, Object)]
struct DataKeys {
    /// The keys, by scope, the newest first.
    items: Vec<DataKey>,
    /// The scopes that values can be sealed in.
    scopes: Vec<String>,
    /// Which root key wraps the data keys: the beginning of its fingerprint.
    root_key: String,
    /// Who keeps the root key.
    root_key_custodian: RootKeyCustodian,
    /// How many instances there are.
    instances: i64,
    /// How many of them know the keys as they are.
    acknowledged: i64,
}

/// What a rotation does at the moment.
#[derive(Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum KeyRotationStep {
    /// It waits until every instance knows the new key.
    Announcing,
    /// Values are sealed anew.
    Migrating,
    /// It makes sure that nothing is left under the old key.
    Verifying,
    /// It removes what people are found by under the old key.
    Closing,
    /// It is over: the old key is retired.
    Finished,
}

/// A change from one data key of a scope to the next.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct KeyRotation {
    /// Its id.
    id: Uuid,
    /// The scope.
    scope: String,
    /// The old key.
    from_key: Uuid,
    /// The new key.
    to_key: Uuid,
    /// What it does at the moment.
    step: KeyRotationStep,
    /// Whether it was paused.
    paused: bool,
    /// How many values were under the old key when it began.
    values_total: i64,
    /// How many of them have been sealed anew.
    values_done: i64,
    /// How often the values were gone through.
    passes: i32,
    /// The account that started it.
    started_by: Option<Uuid>,
    /// When it was started.
    started_at: DateTime<Utc>,
    /// When it last came further.
    updated_at: DateTime<Utc>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
}

/// A rotation to start.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct StartKeyRotation {
    /// The scope.
    #[oai(validator(min_length = 1, max_length = 31))]
    scope: String,
}

/// How many values a column has under a key.
#[derive(Debug, Object)]
struct ColumnCount {
    /// The table and the column.
    column: String,
    /// How many.
    values: i64,
}

/// What a rotation would seal anew.
#[derive(Debug, Object)]
struct KeyRotationPreview {
    /// The scope.
    scope: String,
    /// The key that seals now.
    from_key: Uuid,
    /// Its number in the scope.
    from_version: i32,
    /// How many values are under it.
    values: i64,
    /// The same by column.
    columns: Vec<ColumnCount>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Operations")]
impl Keys {
    /// The data keys of the installation.
    #[oai(path = "/data-keys", method = "get", operation_id = "data_keys_list")]
    async fn list(
        &self,
        caller: Caller,
        /// Whether to count the values under each key, which reads every protected row.
        count: Query<Option<bool>>,
    ) -> ApiResult<Json<DataKeys>> {
        let app = &self.0.gate.app;
        let Inventory { keys, scopes, root_key, custodian, acknowledgements } = keys::inventory(app, &caller).await?;
        let census = match count.0 {
            Some(true) => Some(keys::census(app, &caller).await?),
            _ => None,
        };
        Ok(Json(DataKeys {
            items: keys.into_iter().map(|key| DataKey::of(key, census.as_ref())).collect(),
            scopes,
            root_key,
            root_key_custodian: match custodian {
                Custodian::Server => RootKeyCustodian::Server,
                Custodian::Transit => RootKeyCustodian::Transit,
            },
            instances: acknowledgements.instances,
            acknowledged: acknowledgements.acknowledged,
        }))
    }

    /// Destroy a retired data key.
    ///
    /// Nothing of the running installation is under it. What it sealed in backups can't be opened any more.
    #[oai(path = "/data-keys/:data_key_id/destroy", method = "post", operation_id = "data_keys_destroy")]
    async fn destroy(&self, caller: Caller, data_key_id: Path<Uuid>) -> ApiResult<Json<DataKey>> {
        let key = keys::destroy(&self.0.gate.app, &caller, DataKeyId(data_key_id.0)).await?;
        Ok(Json(DataKey::of(key, None)))
    }

    /// What a rotation of a scope's data key would seal anew. Nothing is changed.
    #[oai(path = "/key-rotations/preview/:scope", method = "get", operation_id = "key_rotations_preview")]
    async fn preview(&self, caller: Caller, scope: Path<String>) -> ApiResult<Json<KeyRotationPreview>> {
        let Preview { from, counted } = keys::preview(&self.0.gate.app, &caller, &scope.0).await?;
        Ok(Json(KeyRotationPreview {
            scope: from.scope,
            from_key: from.id.into(),
            from_version: from.version,
            values: counted.iter().map(|column| column.rows).sum(),
            columns: counted
                .into_iter()
                .map(|column| ColumnCount { column: column.column.to_owned(), values: column.rows })
                .collect(),
        }))
    }

    /// Start the change to a new data key of a scope.
    ///
    /// Values are sealed anew in the background, while people work. The old key is retired when nothing is under it.
    #[oai(path = "/key-rotations", method = "post", operation_id = "key_rotations_create")]
    async fn create(
        &self,
        caller: Caller,
        body: Json<StartKeyRotation>,
        /// The same key does the work once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<KeyRotation>> {
        let rotation = KeyRotation::from(keys::start(&self.0.gate.app, &caller, &body.0.scope).await?);
        let location = format!("/v1/key-rotations/{}", rotation.id);
        Ok(Created::Created(Json(rotation), location))
    }

    /// The rotations of data keys, the latest first.
    #[oai(path = "/key-rotations", method = "get", operation_id = "key_rotations_list")]
    async fn rotations(
        &self,
        caller: Caller,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<KeyRotation>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = keys::list(&self.0.gate.app, &caller, page).await?;
        Ok(Listed::page(request, page, KeyRotation::from))
    }

    /// One rotation.
    #[oai(path = "/key-rotations/:key_rotation_id", method = "get", operation_id = "key_rotations_get")]
    async fn rotation(&self, caller: Caller, key_rotation_id: Path<Uuid>) -> ApiResult<Json<KeyRotation>> {
        Ok(Json(keys::get(&self.0.gate.app, &caller, KeyRotationId(key_rotation_id.0)).await?.into()))
    }

    /// Pause a rotation after the batch that it is at. Everything goes on working with both keys.
    #[oai(path = "/key-rotations/:key_rotation_id/pause", method = "post", operation_id = "key_rotations_pause")]
    async fn pause(&self, caller: Caller, key_rotation_id: Path<Uuid>) -> ApiResult<Json<KeyRotation>> {
        Ok(Json(keys::pause(&self.0.gate.app, &caller, KeyRotationId(key_rotation_id.0)).await?.into()))
    }

    /// Let a rotation go on.
    #[oai(path = "/key-rotations/:key_rotation_id/resume", method = "post", operation_id = "key_rotations_resume")]
    async fn resume(&self, caller: Caller, key_rotation_id: Path<Uuid>) -> ApiResult<Json<KeyRotation>> {
        Ok(Json(keys::resume(&self.0.gate.app, &caller, KeyRotationId(key_rotation_id.0)).await?.into()))
    }
}

impl DataKey {
    fn of(key: keys::DataKey, census: Option<&HashMap<DataKeyId, i64>>) -> Self {
        use data_keys::State;
        Self {
            id: key.id.into(),
            scope: key.scope,
            version: key.version,
            state: match key.state {
                State::Pending => DataKeyState::Pending,
                State::Active => DataKeyState::Active,
                State::Retiring => DataKeyState::Retiring,
                State::Closing => DataKeyState::Closing,
                State::Retired => DataKeyState::Retired,
                State::Destroyed => DataKeyState::Destroyed,
            },
            created_at: key.created_at,
            activated_at: key.activated_at,
            retired_at: key.retired_at,
            destroyed_at: key.destroyed_at,
            values: census.map(|census| census.get(&key.id).copied().unwrap_or_default()),
        }
    }
}

impl From<Rotation> for KeyRotation {
    fn from(row: Rotation) -> Self {
        use key_rotations::Step;
        Self {
            id: row.id.into(),
            scope: row.scope,
            from_key: row.from_key.into(),
            to_key: row.to_key.into(),
            step: match row.step {
                Step::Announcing => KeyRotationStep::Announcing,
                Step::Migrating => KeyRotationStep::Migrating,
                Step::Verifying => KeyRotationStep::Verifying,
                Step::Closing => KeyRotationStep::Closing,
                Step::Finished => KeyRotationStep::Finished,
            },
            paused: row.paused,
            values_total: row.rows_total,
            values_done: row.rows_done,
            passes: row.passes,
            started_by: row.started_by.map(Into::into),
            started_at: row.started_at,
            updated_at: row.updated_at,
            finished_at: row.finished_at,
        }
    }
}
