//! The record's evidence at the command line: verified with nothing but a file of it and public keys.

use std::{
    fs::File,
    io::{self, BufReader, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use freehold::{
    error::{Error, Result},
    seals::{self, KeyRing},
};

#[derive(Args)]
pub struct VerifyEvidence {
    /// The file of evidence, as `GET /v1/organizations/{id}/audit-evidence` gives it. `-` is the standard input.
    file: PathBuf,
    /// The public keys: a key set as `/.well-known/signature-keys.json` gives it, or one key in PEM.
    #[arg(long)]
    key: PathBuf,
    /// A text with checkpoints that were kept elsewhere: a published file, or a letter. Without one, nobody can tell
    /// whether the end was cut off.
    #[arg(long)]
    anchor: Option<PathBuf>,
}

/// Verifies a file of evidence and prints what was found.
///
/// # Errors
/// When something is not as it was sealed, or a file can't be read.
pub fn verify(wanted: &VerifyEvidence) -> Result<()> {
    let keys = KeyRing::parse(&text(&wanted.key)?)?;
    let kept = wanted.anchor.as_deref().map(text).transpose()?;
    let path = if wanted.file.as_os_str() == "-" { Path::new("/dev/stdin") } else { &wanted.file };
    let file = File::open(path).map_err(|error| named(path, error))?;
    let report = seals::verify(BufReader::new(file), &keys, kept.as_deref())?;
    writeln!(io::stdout(), "{report}").map_err(Error::internal)?;
    match report.faulty {
        0 => Ok(()),
        _ => Err(Error::internal("the evidence is not what was sealed")),
    }
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| named(path, error))
}

fn named(path: &Path, error: io::Error) -> Error {
    Error::internal(format!("{}: {error}", path.display()))
}
