//! Tenancy: organisations, who belongs to them, what is known of each there, who is asked to, and the rules about roles.
//!
//! This module owns the tables `organizations`, `memberships`, `attributes`, `attribute_values`, `attribute_matches`,
//! `teams`, `team_members`, `custom_roles`, `custom_role_grants`, `service_accounts`, `api_keys`, `invitations`,
//! `invitation_teams`, `setup_tokens`, `sign_ups`, `sign_up_requests` and `second_factor_counts`.

pub mod adoption;
pub mod attributes;
pub mod custom_roles;
pub mod erasure;
pub mod invitations;
pub mod managed;
pub mod member_sessions;
pub mod members;
pub mod organizations;
pub mod overview;
pub mod passwords;
pub mod recoveries;
pub mod roles;
pub mod seats;
pub mod service_accounts;
pub mod setup;
pub mod sign_ups;
pub mod teams;
