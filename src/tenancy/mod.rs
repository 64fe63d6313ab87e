//! Tenancy: organisations, who belongs to them, who is asked to, and the rules about roles.
//!
//! This module owns the tables `organizations`, `memberships`, `teams`, `team_members`, `invitations`,
//! `invitation_teams` and `setup_tokens`.

pub mod erasure;
pub mod invitations;
pub mod managed;
pub mod members;
pub mod organizations;
pub mod roles;
pub mod setup;
pub mod teams;
