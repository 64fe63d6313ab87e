//! How members are found by their values, and how sealed values and what they are found by go through a rotation.

use entity::{
    AttributeId, AttributeValueId, Chosen, DataKeyId, OrganizationId, Salt, Sealed, attribute_matches as matches,
    attribute_values as rows, attributes::Kind,
};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait, sea_query::SelectStatement};
use uuid::Uuid;

use super::{Attribute, access::Access, all, values};
use crate::{
    app::App,
    db::{Tx, WriteTx},
    error::{Error, Fault, Result},
    types::single_line,
    vault::{Batch, FieldIn, Table, Vault},
};

/// The parameter of the members' list.
const PARAMETER: &str = "attribute";

/// The sealed field of an attribute, if it is one.
pub(super) fn field(attribute: &Attribute) -> Option<FieldIn> {
    attribute.scope.as_deref().map(|scope| FieldIn::new("attributes", attribute.id, scope))
}

/// A subquery of the memberships that have a value, which is asked for as `key:value`.
///
/// # Errors
/// `Invalid` for an attribute that the caller sees of nobody but themselves, one that is not searchable, and a value that
/// is none of it.
pub async fn holders(app: &App, tx: &Tx, wanted: &str) -> Result<SelectStatement> {
    let fault = |code, detail: String| Error::Invalid(vec![Fault::parameter(PARAMETER, code, detail)]);
    let (key, value) = wanted
        .split_once(':')
        .ok_or_else(|| fault("format", "must be an attribute's key, a colon, and a value".to_owned()))?;
    let access = Access::of(&app.policy, tx.caller(), None);
    let known = all(tx).await?.into_iter().filter(|row| row.archived_at.is_none() && access.sees(row));
    let attribute = known
        .into_iter()
        .find(|row| row.key == key)
        .ok_or_else(|| fault("unknown_attribute", "names no attribute of this organisation".to_owned()))?;
    if !attribute.searchable {
        return Err(fault("not_searchable", "names an attribute that is not searchable".to_owned()));
    }
    let kept = match attribute.kind {
        // An option that is offered no more is still somebody's.
        Kind::Choice => single_line(value, values::LONGEST_TEXT)
            .ok_or_else(|| fault("format", "has a value that is none of the attribute's".to_owned()))?,
        kind => values::parsed(kind, &attribute.options, value)
            .map_err(|wrong| fault(wrong.code, format!("has a value that {}", wrong.detail)))?,
    };
    let compared = values::comparable(attribute.kind, &kept);
    let found = tx.find::<rows::Entity>().filter(rows::Column::AttributeId.eq(attribute.id));
    let found = found.select_only().column(rows::Column::MembershipId);
    let Some(field) = field(&attribute) else {
        return Ok(found.filter(rows::Column::Comparable.eq(compared)).into_query());
    };
    let made = app.vault.matches_in(&field, &compared)?.into_iter().map(|(_, value)| value);
    let matching = tx.find::<matches::Entity>().filter(matches::Column::Value.is_in(made));
    let matching = matching.select_only().column(matches::Column::ValueId).into_query();
    Ok(found.filter(rows::Column::Id.in_subquery(matching)).into_query())
}

/// Keeps what a sealed value is found by, in the place of what was there before.
///
/// # Errors
/// When the database fails.
pub(super) async fn keep_matches(tx: &WriteTx, vault: &Vault, attribute: &Attribute, of: &Found<'_>) -> Result<()> {
    let old = tx.remove::<matches::Entity>().filter(matches::Column::ValueId.eq(of.id));
    tx.delete(old).await?;
    let Some(field) = field(attribute).filter(|_| attribute.searchable) else { return Ok(()) };
    let made = vault.matches_in(&field, of.compared)?.into_iter().map(|(key_id, value)| matches::Model {
        organization_id: attribute.organization_id,
        value_id: of.id,
        value,
        key_id,
    });
    tx.append(made.map(matches::ActiveModel::from).collect()).await
}

/// A value by what it is found.
pub(super) struct Found<'a> {
    pub id: AttributeValueId,
    pub compared: &'a str,
}

/// What is sealed, of all scopes: a value's key tells which it is of, and its attribute is the field that it is bound to.
pub const SEALED: &[Table] = &[Table {
    name: "attribute_values",
    scope: None,
    columns: &[crate::vault::sealed_column!("attribute_values", "sealed")],
    next: "SELECT v.id, a.salt, 'attributes.' || v.attribute_id AS field,
                  CASE WHEN substr(v.sealed, 2, 16) = $2 THEN v.sealed END AS first,
                  NULL::bytea AS second, NULL::bytea AS third
           FROM attribute_values v LEFT JOIN memberships m ON m.id = v.membership_id
           LEFT JOIN accounts a ON a.id = m.account_id
           WHERE v.id > $1 ORDER BY v.id LIMIT $3",
    write: "UPDATE attribute_values t SET sealed = u.value FROM unnest($1::uuid[], $2::bytea[], $3::bytea[])
            AS u (id, present, value) WHERE t.id = u.id AND t.sealed = u.present",
}];

#[derive(FromQueryResult)]
struct Unmatched {
    id: AttributeValueId,
    organization_id: OrganizationId,
    attribute_id: AttributeId,
    sealed: Sealed<Chosen>,
    kind: Kind,
    scope: String,
    salt: Salt,
}

/// Nobody writes a value while what it is found by is made. The key is compared as in `accounts`.
const UNMATCHED: &str = "
    SELECT v.id, v.organization_id, v.attribute_id, v.sealed, t.kind, t.scope, a.salt
    FROM attribute_values v
    JOIN attributes t ON t.organization_id = v.organization_id AND t.id = v.attribute_id
    JOIN memberships m ON m.id = v.membership_id JOIN accounts a ON a.id = m.account_id
    WHERE v.id > $1 AND v.sealed IS NOT NULL AND t.searchable AND a.salt IS NOT NULL
      AND t.scope = (SELECT scope FROM data_keys WHERE id = $2)
      AND (SELECT count(*) FROM attribute_matches x
           WHERE x.organization_id = v.organization_id AND x.value_id = v.id AND (x.key_id = $2) IS TRUE) = 0
    ORDER BY v.id LIMIT $3 FOR UPDATE OF v";
const MATCH: &str = "
    INSERT INTO attribute_matches (organization_id, value_id, value, key_id)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::uuid[]) ON CONFLICT DO NOTHING";

/// Gives some searchable values that have none the match value under a key, beginning after one.
///
/// # Errors
/// When the database fails, or a value can't be opened.
pub async fn match_anew(tx: &WriteTx, vault: &Vault, key: DataKeyId, after: Uuid, most: i64) -> Result<Batch> {
    let found: Vec<Unmatched> = tx.query(UNMATCHED, [after.into(), key.into(), most.into()]).await?;
    let last = found.last().map(|found| found.id.into());
    let (mut organizations, mut ids, mut made, mut keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in found {
        let field = FieldIn::new("attributes", row.attribute_id, &row.scope);
        let kept = vault.open_in(&row.salt, &field, row.id, &row.sealed)?;
        let value = vault.match_in_under(key, &field, &values::comparable(row.kind, &kept))?;
        organizations.push(Uuid::from(row.organization_id));
        ids.push(Uuid::from(row.id));
        made.push(value.as_bytes().to_vec());
        keys.push(Uuid::from(key));
    }
    let written = tx.execute(MATCH, [organizations.into(), ids.into(), made.into(), keys.into()]).await?;
    Ok(Batch { last, written })
}
