//! People in bulk: files of them in, and out (AUT-9).
//!
//! An import is uploaded in parts, looked through without making anybody if that is wanted, and worked off line by line in
//! the background, on any instance. Each batch of lines is made in one transaction together with how far the import is and
//! what became of each line, so that it goes on from there after whatever end, and nobody is made twice. What a line makes
//! depends on who asks. A platform administrator makes accounts; an organisation's administrator sends invitations,
//! because nobody joins an organisation without a say, and an address is somebody's only once they have shown so; who runs
//! the installation, at the command line, makes members.
//!
//! This module owns `imports`, `import_parts` and `import_lines`. It decides who gets what only by the rules of `accounts`
//! and `tenancy`.

mod admin;
mod clean_up;
mod command;
mod export;
mod lines;
mod make;
mod record;
mod upload;
mod work;

use entity::{Pii, imports as rows};

pub use admin::{cancel, get, lines, list, pause, report, resume};
pub use clean_up::clean_up;
pub use command::{Order, Outcome, import_file, organization, write_export};
pub use export::{Exported, Hashes, accounts, members};
pub use upload::{Mode, add_part, create, start};
pub use work::Worker;

use crate::vault::{Field, Table};

/// An import, as it is kept.
pub type Import = rows::Model;
/// What became of a line.
pub type Line = entity::import_lines::Model;

/// A piece of an upload.
const DATA: Field<Pii> = Field::new("import_parts.data");
/// What an import's fingerprints of addresses are made with.
const SALT: Field<Pii> = Field::new("imports.salt");

/// What of imports is sealed.
pub const SEALED: &[Table] = &[
    crate::vault::sealed_table!("import_parts", Pii, ["data"]),
    crate::vault::sealed_table!("imports", Pii, ["salt"]),
];
