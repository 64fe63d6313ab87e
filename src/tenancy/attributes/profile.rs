//! What attributes say of one member: read and written as far as the caller may, whoever the member is.

use std::collections::BTreeMap;

use entity::{
    AttributeId, AttributeValueId, MembershipId, OrganizationId, Salt, attribute_values as rows, attributes,
    memberships,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Attribute,
    access::Access,
    all,
    search::{Found, field, keep_matches},
    values::{self, Value},
};
use crate::{
    accounts::{self, expect_version},
    app::App,
    audit::{Event, Kind},
    db::{Tx, WriteTx},
    error::{Code, Error, Fault, Result},
    tenancy::{members, roles},
    types::Caller,
    vault::Vault,
};

/// How much of an unknown key an answer repeats, in characters.
const REPEATED: usize = 64;

/// What is wanted of a member's values, by key; nothing takes a value away.
pub type Wanted = BTreeMap<String, Option<Value>>;

/// One field of a profile.
#[derive(Debug)]
pub struct Field {
    /// The declaration.
    pub attribute: Attribute,
    /// What it says, if it says anything.
    pub value: Option<Value>,
    /// Whether the caller may change it.
    pub editable: bool,
}

/// What the caller sees of a member's profile.
#[derive(Debug)]
pub struct Profile {
    /// The organisation.
    pub organization: OrganizationId,
    /// The member.
    pub member: MembershipId,
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// Different after every change of any value.
    pub version: i32,
}

/// A member with everything that is known of them, in one transaction.
struct Subject {
    membership: memberships::Model,
    salt: Salt,
    attributes: Vec<Attribute>,
    values: BTreeMap<AttributeId, rows::Model>,
    access: Access,
}

/// The profile of a member of the caller's organisation.
///
/// # Errors
/// `NotFound`.
pub async fn get(app: &App, caller: &Caller, member: MembershipId) -> Result<Profile> {
    let tx = app.db.read(caller).await?;
    let membership = members::row(&tx, member).await?;
    let attributes = all(&tx).await?;
    subject(app, &tx, membership, attributes).await?.profile(&app.vault)
}

/// The caller's own profile, in the organisation that their session is in.
///
/// # Errors
/// `NotFound` for a caller who is no member there.
pub async fn get_own(app: &App, caller: &Caller) -> Result<Profile> {
    get(app, caller, caller.membership.ok_or_else(Error::not_found)?).await
}

/// Changes the caller's own profile, as far as it is theirs to change.
///
/// # Errors
/// As [`update`]; `NotFound` for a caller who is no member where their session is.
pub async fn update_own(app: &App, caller: &Caller, wanted: Wanted, version: Option<i32>) -> Result<Profile> {
    update(app, caller, caller.membership.ok_or_else(Error::not_found)?, wanted, version).await
}

/// Changes what attributes say of a member: all that is wanted, or nothing.
///
/// # Errors
/// `NotFound`; `Forbidden` with `attribute_not_editable` or `role_above_own`, which are recorded; `Conflict` with
/// `precondition_failed`; `Invalid` with a fault for each key that is unknown, value that is none, and required value
/// that the caller could give and is missing afterwards.
pub async fn update(
    app: &App,
    caller: &Caller,
    member: MembershipId,
    wanted: Wanted,
    version: Option<i32>,
) -> Result<Profile> {
    let tx = app.db.write(caller).await?;
    members::still(app, &tx).await?;
    // Two who change one profile do it one after the other; a declaration stays as it is meanwhile.
    let seats = tx.find::<memberships::Entity>().filter(memberships::Column::Id.eq(member));
    let membership = tx.one(seats.lock_exclusive()).await?.ok_or_else(Error::not_found)?;
    let declared = tx.find::<attributes::Entity>().order_by_asc(attributes::Column::Id).lock_shared();
    let mut declared = tx.all(declared).await?;
    declared.sort_by_key(|row| (row.position, row.id));
    let subject = subject(app, &tx, membership, declared).await?;
    expect_version(version, subject.version())?;
    if let Err(refusal) = may_change(app, &tx, &subject, &wanted).await {
        return refuse(tx, &subject, refusal).await;
    }
    let changes = subject.checked(wanted)?;
    let mut changed = Vec::new();
    for (attribute, text) in changes {
        if subject.text(&app.vault, attribute)? != text {
            subject.write(&tx, app, attribute, text).await?;
            changed.push(attribute.key.as_str());
        }
    }
    if changed.is_empty() {
        return subject.profile(&app.vault);
    }
    let event = Event::new(Kind::MemberAttributesUpdated, member).with("fields", changed.join(" "));
    let event = event.with("account", subject.membership.account_id.to_string());
    let after = self::subject(app, &tx, subject.membership.clone(), subject.attributes.clone()).await?;
    let profile = after.profile(&app.vault)?;
    tx.commit(event).await?;
    Ok(profile)
}

async fn subject(
    app: &App,
    tx: &Tx,
    membership: memberships::Model,
    mut attributes: Vec<Attribute>,
) -> Result<Subject> {
    attributes.retain(|row| row.archived_at.is_none());
    let values = tx.find::<rows::Entity>().filter(rows::Column::MembershipId.eq(membership.id));
    let values = tx.all(values).await?.into_iter().map(|row| (row.attribute_id, row)).collect();
    let salt = accounts::salt(tx, membership.account_id).await?;
    let access = Access::of(&app.policy, tx.caller(), Some(membership.id));
    Ok(Subject { membership, salt, attributes, values, access })
}

/// Whether all that is wanted is the caller's to change. Whoever is above them is out of their reach (AZ-8).
async fn may_change(app: &App, tx: &Tx, subject: &Subject, wanted: &Wanted) -> Result<()> {
    let caller = tx.caller();
    if caller.membership != Some(subject.membership.id) {
        let theirs = members::held(app, tx, &subject.membership).await?;
        roles::may_grant_all(&app.policy, caller, &theirs)?;
    }
    let mut known = wanted.keys().filter_map(|key| subject.attribute(key));
    if known.all(|row| subject.access.edits(row)) { Ok(()) } else { Err(Error::Forbidden(Code::AttributeNotEditable)) }
}

async fn refuse<T>(tx: WriteTx, subject: &Subject, refusal: Error) -> Result<T> {
    if matches!(refusal, Error::Internal(_) | Error::Upstream { .. }) {
        return Err(refusal);
    }
    let event = Event::new(Kind::MemberChangeRefused, subject.membership.id).refused();
    tx.commit_refused(event.with("code", refusal.code().as_str()), refusal).await
}

impl Subject {
    /// The attribute of this key, if the caller sees it.
    fn attribute(&self, key: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|row| row.key == key && self.access.sees(row))
    }

    /// What an attribute says, as it is kept.
    fn text(&self, vault: &Vault, attribute: &Attribute) -> Result<Option<String>> {
        let Some(row) = self.values.get(&attribute.id) else { return Ok(None) };
        match (&row.sealed, field(attribute)) {
            (Some(sealed), Some(field)) => vault.open_in(&self.salt, &field, row.id, sealed).map(Some),
            (None, None) => Ok(row.clear.clone()),
            _ => Err(Error::internal(format!("the attribute value {} is not as its attribute wants it", row.id))),
        }
    }

    fn profile(&self, vault: &Vault) -> Result<Profile> {
        let visible = self.attributes.iter().filter(|row| self.access.sees(row));
        let shown = |attribute: &Attribute| {
            let value = self.text(vault, attribute)?.map(|text| values::shown(attribute.kind, &text));
            Ok(Field { editable: self.access.edits(attribute), attribute: attribute.clone(), value })
        };
        let Subject { membership, .. } = self;
        Ok(Profile {
            organization: membership.organization_id,
            member: membership.id,
            fields: visible.map(shown).collect::<Result<_>>()?,
            version: self.version(),
        })
    }

    /// A number made of which values there are, and in which version each is: another one after every change.
    fn version(&self) -> i32 {
        let mut digest = Sha256::new();
        for row in self.values.values() {
            digest.update(Uuid::from(row.id).as_bytes());
            digest.update(row.version.to_be_bytes());
        }
        let first = digest.finalize().first_chunk::<4>().copied().unwrap_or_default();
        i32::from_be_bytes(first) & i32::MAX
    }

    /// What is wanted, as it is kept.
    fn checked(&self, wanted: Wanted) -> Result<Vec<(&Attribute, Option<String>)>> {
        let (mut changes, mut faults) = (Vec::new(), Vec::new());
        for (key, value) in wanted {
            let Some(attribute) = self.attribute(&key) else {
                faults.push(Fault::body(pointer(&key), "unknown_attribute", "is no attribute of this organisation"));
                continue;
            };
            let kept = value.map(|value| values::kept(attribute.kind, &attribute.options, &value)).transpose();
            match kept {
                Ok(text) => changes.push((attribute, text)),
                Err(wrong) => faults.push(Fault::body(pointer(&key), wrong.code, wrong.detail)),
            }
        }
        for attribute in self.attributes.iter().filter(|row| row.required && self.access.edits(row)) {
            let change = changes.iter().find(|(changed, _)| changed.id == attribute.id);
            let place = pointer(&attribute.key);
            let faulty = faults.iter().any(|fault| fault.place == crate::error::Place::Body(place.clone()));
            let there = change.map_or(self.values.contains_key(&attribute.id), |(_, text)| text.is_some());
            if !there && !faulty {
                faults.push(Fault::body(place, "required", "is required"));
            }
        }
        if faults.is_empty() { Ok(changes) } else { Err(Error::Invalid(faults)) }
    }

    async fn write(&self, tx: &WriteTx, app: &App, attribute: &Attribute, text: Option<String>) -> Result<()> {
        let present = self.values.get(&attribute.id);
        let Some(text) = text else {
            let id = present.map(|row| row.id);
            tx.delete(tx.remove::<rows::Entity>().filter(rows::Column::Id.eq(id.map(Uuid::from)))).await?;
            return Ok(());
        };
        let id: AttributeValueId = present.map_or_else(|| app.ids.next(), |row| row.id);
        let sealed = field(attribute).map(|field| app.vault.seal_in(&self.salt, &field, id, text.as_bytes()));
        let sealed = sealed.transpose()?;
        let compared = values::comparable(attribute.kind, &text);
        let comparable = (attribute.searchable && sealed.is_none()).then(|| compared.clone());
        let clear = sealed.is_none().then_some(text);
        let now = tx.caller().now();
        match present.cloned() {
            Some(row) => {
                let version = row.version + 1;
                let mut row = row.into_active_model();
                row.clear = Set(clear);
                row.sealed = Set(sealed);
                row.comparable = Set(comparable);
                row.version = Set(version);
                row.updated_at = Set(now);
                tx.update(row).await?;
            }
            None => {
                let row = rows::Model {
                    id,
                    organization_id: self.membership.organization_id,
                    attribute_id: attribute.id,
                    membership_id: self.membership.id,
                    clear,
                    sealed,
                    comparable,
                    version: 1,
                    updated_at: now,
                };
                tx.insert(rows::ActiveModel::from(row)).await?;
            }
        }
        keep_matches(tx, &app.vault, attribute, &Found { id, compared: &compared }).await
    }
}

/// Where a value stands in a request (RFC 6901, section 3).
fn pointer(key: &str) -> String {
    let key: String = key.chars().take(REPEATED).collect();
    format!("/attributes/{}", key.replace('~', "~0").replace('/', "~1"))
}
