//! Freehold: a self-hosted, multi-tenant identity backend. One server, one PostgreSQL.
//!
//! Read `ARCHITECTURE.md` first; the modules are its floors. A floor uses those below it, never above.

pub mod accounts;
pub mod alerts;
pub mod api;
pub mod app;
pub mod audit;
pub mod authz;
pub mod certificates;
pub mod config;
pub mod db;
pub mod decisions;
pub mod digests;
pub mod edge;
pub mod error;
pub mod guessing;
pub mod jobs;
pub mod mail;
pub mod mfa;
pub mod operations;
pub mod outbound;
pub mod people;
pub mod policies;
pub mod privacy;
pub mod retention;
pub mod runtime;
pub mod seals;
pub mod server;
pub mod sessions;
pub mod settings;
pub mod telemetry;
pub mod tenancy;
pub mod types;
pub mod vault;
