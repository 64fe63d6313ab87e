//! Values that every floor speaks of: the caller, text that was checked, pages. No domain, no I/O.

mod caller;
mod domain;
mod email;
mod left;
mod page;
mod permissions;
mod request;
mod role;
mod sheet;
mod text;

pub use caller::{Actor, Caller, IdempotencyKey, Tenancy};
pub use domain::Domain;
pub use email::{Email, ascii_domain};
pub use left::Left;
pub use page::{Cursor, Page, PageRequest};
pub use permissions::Permissions;
pub use request::{Origin, network};
pub use role::Role;
pub use sheet::{cell, of_cell};
pub use text::{has_link, nfc, single_line};
