//! `import_parts`: what was uploaded for an import, in sealed pieces.

use sea_orm::entity::prelude::*;

use crate::{ImportId, ImportPartId, OrganizationId, Pii, Sealed};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_parts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ImportPartId,
    pub organization_id: OrganizationId,
    pub import_id: ImportId,
    pub starts: i64,
    pub length: i32,
    pub data: Sealed<Pii>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
