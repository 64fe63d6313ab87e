//! The edge: everything of HTTP that is the same for every operation. Connections, the client's address, security
//! headers, problem documents, cookies and cross-site checks, how often one may call, the contract, and the guard that
//! stands before every operation. No rule of the domain is here.

pub mod assets;
pub mod bodies;
pub mod body;
pub mod context;
pub mod contract;
pub mod cookies;
pub mod cors;
pub mod csrf;
pub mod docs;
pub mod guard;
pub mod headers;
pub mod limits;
pub mod listener;
pub mod oauth;
pub mod problem;
pub mod proxies;
pub mod security_txt;
pub mod tls;

mod idempotency;

pub use guard::{Gate, Guarded, SpecOnly, Visitor};
pub use problem::{ApiProblem, ApiResult, ErrorStats, Problem};
