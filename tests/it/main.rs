//! The one integration binary: `harness/` starts what the tests talk to, `coverage/` is generated from the contract,
//! and every other file tells the stories of one feature.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells the person in front of it what it measured"
)]

mod acting;
mod alerts;
mod architecture;
mod attributes;
mod cluster;
mod config;
mod coverage;
mod crash;
mod custom_roles;
mod database;
mod decisions;
mod edge;
mod email;
mod embedded;
mod events;
mod harness;
mod imports;
mod isolation;
mod jobs;
mod lockout;
mod mail;
mod managed;
mod overview;
mod passwords;
mod path;
mod people;
mod privacy;
mod rbac;
mod reauthentication;
mod record;
mod retention;
mod seals;
mod second_factors;
mod service_accounts;
mod sessions;
mod settings;
mod sign_up;
mod teams;
mod transit;
mod vault;
mod world;
