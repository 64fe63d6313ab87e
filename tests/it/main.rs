//! The one integration binary: `harness/` starts what the tests talk to, `coverage/` is generated from the contract,
//! and every other file tells the stories of one feature.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod architecture;
mod config;
mod embedded;
