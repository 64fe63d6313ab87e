//! Freehold's schema, step by step. A step is plain SQL in `sql/`, run once, in one transaction.
//!
//! The server makes the database roles before the first step (they need passwords, which are no business of a
//! migration) and runs the steps under a lock. A step that has been released is never changed.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm::ConnectionTrait};
pub use sea_orm_migration::{MigratorTrait, prelude::DbErr};

/// Every step, oldest first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        STEPS.iter().map(|(name, sql)| Box::new(Step { name, sql }) as Box<dyn MigrationTrait>).collect()
    }
}

macro_rules! steps {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("sql/", $name, ".sql"))),)*]
    };
}

/// The steps' names, which are the names of their files, and texts.
const STEPS: &[(&str, &str)] = steps![
    "m20261121_000001_foundation",
    "m20261121_000002_polish",
    "m20261121_000002_hardening",
    "m20261121_000003_teams",
    "m20261121_000004_jobs",
    "m20261121_000005_settings",
    "m20261121_000006_reauthentication",
    "m20261121_000007_platform_access",
    "m20261121_000008_live",
    "m20261121_000009_words",
    "m20261121_000010_data_keys",
    "m20261121_000011_sealed",
    "m20261125_000012_audit_personal",
    "m20261125_000013_erasure",
    "m20261125_000015_attributes",
    "m20261125_000016_guessing",
    "m20261125_000017_managed_accounts",
    "m20261125_000018_passwords",
    "m20261125_000019_sign_up",
    "m20261125_000020_imports",
    "m20261126_000021_service_accounts",
    "m20261126_000022_certificates",
    "m20261126_000023_hot_path",
    "m20261127_000025_session_ends",
    "m20261127_000026_policy_history",
    "m20261128_000027_custom_roles",
    "m20261128_000029_decision_counts",
    "m20261128_000030_list_indexes",
    "m20261129_000032_audit_seals",
    "m20261129_000035_alerts",
    "m20261129_000039_own_memberships",
    "m20261130_000040_audit_partitions",
    "m20261130_000041_audit_retention",
    "m20261130_000050_mfa",
    "m20261130_000060_profile_changes",
    "m20261201_000066_product_events",
    "m20261202_000070_passkeys",
    "m20261202_000080_email_codes",
    "m20261202_000090_recovery",
    "m20261202_000095_second_factor_counts",
    "m20261203_000100_factor_functions",
];

struct Step {
    name: &'static str,
    sql: &'static str,
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.sql).await?;
        Ok(())
    }
}
