//! What the platform and the organisations have decided.
//!
//! The wire types of the sections are made of the sections themselves ([`crate::settings::SECTIONS`]): a section that
//! is added there is in the contract, in bodies and in answers.

mod wire;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{AccountId, settings_history as history};
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::Any,
};
use serde_json::Value;
use uuid::Uuid;

use self::wire::{ForOrganizations, ForPlatform, Standings, Wanted};
use super::{
    Face, Tag,
    invitations::Person,
    wire::{Listed, Versioned, version},
};
use crate::{
    accounts,
    edge::ApiResult,
    error::{Error, Result},
    settings::{Changed, Overview},
    types::{Caller, Page, PageRequest},
};

/// The operations.
pub struct SettingsOf(pub Face);

/// The settings of the platform, which hold in every organisation.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PlatformSettings {
    /// The platform's own organisation.
    organization_id: Uuid,
    /// The sections.
    sections: Standings<ForPlatform>,
    /// Grows with every change; 1 while nothing was ever set.
    version: i32,
    /// When something was last set.
    updated_at: Option<DateTime<Utc>>,
    /// By whom.
    updated_by: Option<Person>,
}

/// The settings of an organisation, and how the platform's bear on them.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct OrganizationSettings {
    /// The organisation.
    organization_id: Uuid,
    /// The sections.
    sections: Standings<ForOrganizations>,
    /// Grows with every change; 1 while nothing was ever set.
    version: i32,
    /// When something was last set.
    updated_at: Option<DateTime<Utc>>,
    /// By whom.
    updated_by: Option<Person>,
}

/// A version of settings.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct SettingsChange {
    /// Its id.
    id: Uuid,
    /// The version that it made.
    version: i32,
    /// When.
    changed_at: DateTime<Utc>,
    /// By whom, if they still have an account.
    changed_by: Option<Person>,
    /// What was changed.
    changes: Vec<FieldChange>,
}

/// A change of one field.
#[derive(Debug, Object)]
struct FieldChange {
    /// The section.
    section: String,
    /// The field.
    field: String,
    /// What was set before; left out when nothing was.
    #[oai(skip_serializing_if_is_none)]
    before: Option<Any<Value>>,
    /// What is set since; left out when nothing is.
    #[oai(skip_serializing_if_is_none)]
    after: Option<Any<Value>>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Settings")]
impl SettingsOf {
    /// The settings of the platform, which hold in every organisation.
    #[oai(path = "/settings", method = "get", operation_id = "settings_get")]
    async fn platform(&self, caller: Caller) -> ApiResult<Versioned<PlatformSettings>> {
        let overview = self.0.gate.app.settings.get(&caller).await?;
        Ok(self.platform_settings(&caller, overview).await?)
    }

    /// Change settings of the platform. What is left out stays; `null` goes back to the default.
    #[oai(path = "/settings", method = "patch", operation_id = "settings_update")]
    async fn update_platform(
        &self,
        caller: Caller,
        body: Json<Wanted<ForPlatform>>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<PlatformSettings>> {
        let overview = self.0.gate.app.settings.update(&caller, body.0.sections(), version(if_match.0)).await?;
        Ok(self.platform_settings(&caller, overview).await?)
    }

    /// Every version of the platform's settings, newest first.
    #[oai(path = "/settings/history", method = "get", operation_id = "settings_history_list")]
    async fn platform_history(
        &self,
        caller: Caller,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<SettingsChange>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        Ok(self.history_page(&caller, request, page).await?)
    }

    /// The settings of an organisation, and how the platform's bear on them.
    #[oai(
        path = "/organizations/:organization_id/settings",
        method = "get",
        operation_id = "organization_settings_get"
    )]
    async fn organization(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
    ) -> ApiResult<Versioned<OrganizationSettings>> {
        let _ = organization_id;
        let overview = self.0.gate.app.settings.get(&caller).await?;
        Ok(self.organization_settings(&caller, overview).await?)
    }

    /// Change settings of an organisation, within what the platform allows. What is left out stays; `null` goes back to
    /// the platform's.
    #[oai(
        path = "/organizations/:organization_id/settings",
        method = "patch",
        operation_id = "organization_settings_update"
    )]
    async fn update_organization(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<Wanted<ForOrganizations>>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<OrganizationSettings>> {
        let _ = organization_id;
        let overview = self.0.gate.app.settings.update(&caller, body.0.sections(), version(if_match.0)).await?;
        Ok(self.organization_settings(&caller, overview).await?)
    }

    /// Every version of an organisation's settings, newest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/settings/history",
        method = "get",
        operation_id = "organization_settings_history_list"
    )]
    async fn organization_history(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<SettingsChange>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        Ok(self.history_page(&caller, request, page).await?)
    }
}

impl SettingsOf {
    async fn platform_settings(&self, caller: &Caller, overview: Overview) -> Result<Versioned<PlatformSettings>> {
        let (updated_at, updated_by) = self.last_update(caller, &overview).await?;
        let settings = PlatformSettings {
            organization_id: overview.organization.into(),
            sections: Standings::of(&overview.sections),
            version: overview.version,
            updated_at,
            updated_by,
        };
        Ok(Versioned::of(overview.version, settings))
    }

    async fn organization_settings(
        &self,
        caller: &Caller,
        overview: Overview,
    ) -> Result<Versioned<OrganizationSettings>> {
        let (updated_at, updated_by) = self.last_update(caller, &overview).await?;
        let settings = OrganizationSettings {
            organization_id: overview.organization.into(),
            sections: Standings::of(&overview.sections),
            version: overview.version,
            updated_at,
            updated_by,
        };
        Ok(Versioned::of(overview.version, settings))
    }

    /// When and by whom something was last set.
    async fn last_update(
        &self,
        caller: &Caller,
        overview: &Overview,
    ) -> Result<(Option<DateTime<Utc>>, Option<Person>)> {
        let Some(row) = &overview.row else { return Ok((None, None)) };
        let mut people = self.people(caller, row.updated_by).await?;
        Ok((Some(row.updated_at), row.updated_by.and_then(|id| people.remove(&id))))
    }

    async fn history_page(
        &self,
        caller: &Caller,
        request: &Request,
        page: PageRequest,
    ) -> Result<Listed<SettingsChange>> {
        let page = self.0.gate.app.settings.history(caller, page).await?;
        let people = self.people(caller, page.items.iter().filter_map(|row| row.changed_by)).await?;
        let items = page.items.into_iter().map(|row| SettingsChange::of(row, &people));
        let page = Page { items: items.collect::<Result<Vec<_>>>()?, next: page.next };
        Ok(Listed::page(request, page, |item| item))
    }

    /// People by name, as they are called today.
    async fn people(
        &self,
        caller: &Caller,
        ids: impl IntoIterator<Item = AccountId> + Send,
    ) -> Result<HashMap<AccountId, Person>> {
        let tx = self.0.gate.app.db.read(caller).await?;
        let people = accounts::profiles(&self.0.gate.app.vault, &tx, ids).await?;
        Ok(people.into_iter().map(|(id, account)| (id, Person { id: id.into(), name: account.name })).collect())
    }
}

impl SettingsChange {
    fn of(row: history::Model, people: &HashMap<AccountId, Person>) -> Result<Self> {
        let changes: Vec<Changed> = serde_json::from_value(row.changes).map_err(Error::internal)?;
        let person = row.changed_by.and_then(|id| people.get(&id));
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            changed_at: row.changed_at,
            changed_by: person.map(|person| Person { id: person.id, name: person.name.clone() }),
            changes: changes.into_iter().map(FieldChange::from).collect(),
        })
    }
}

impl From<Changed> for FieldChange {
    fn from(change: Changed) -> Self {
        let set = |value: Value| (!value.is_null()).then_some(Any(value));
        Self { section: change.section, field: change.field, before: set(change.before), after: set(change.after) }
    }
}
