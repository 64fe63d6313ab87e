//! People in and out at the command line.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use entity::imports::Format as FileFormat;
use freehold::{
    config::Config,
    error::{Error, Result},
    people::{self, Hashes, Import, Mode, Order},
    runtime::Clock,
    server,
};

/// How a file is written.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Values with commas, semicolons or tabs between, under a line that names the columns.
    Csv,
    /// A JSON object a line.
    JsonLines,
}

#[derive(Args)]
pub struct ImportPeople {
    /// The file. `-` is the standard input.
    file: PathBuf,
    /// Make them members of this organisation (its id or short name). Without it, accounts alone.
    #[arg(long)]
    organization: Option<String>,
    /// How the file is written. Without it, by the file's name.
    #[arg(long)]
    format: Option<Format>,
    /// Only say what would become of each line.
    #[arg(long)]
    dry_run: bool,
    /// Write what became of each line into this CSV file.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Args)]
pub struct ExportPeople {
    /// The members of this organisation (its id or short name). Without it, everybody with an account.
    #[arg(long)]
    organization: Option<String>,
    /// How to write the file. Without it, by the file's name; CSV to the standard output.
    #[arg(long)]
    format: Option<Format>,
    /// Write the hashes of passwords too, to move people to another installation.
    #[arg(long)]
    with_hashes: bool,
    /// The file. Without it, the standard output.
    #[arg(long, short)]
    output: Option<PathBuf>,
}

fn format(given: Option<Format>, file: Option<&PathBuf>) -> FileFormat {
    let by_name = file.and_then(|file| file.extension()).is_some_and(|name| name == "jsonl" || name == "ndjson");
    match given {
        Some(Format::JsonLines) => FileFormat::JsonLines,
        None if by_name => FileFormat::JsonLines,
        Some(Format::Csv) | None => FileFormat::Csv,
    }
}

/// Takes people in.
pub async fn import(config: Config, wanted: ImportPeople) -> Result<()> {
    let mode = if wanted.dry_run { Mode::Check } else { Mode::Import };
    let outcome = server::with_app(&config, &Clock::default(), async |app| {
        let organization = match &wanted.organization {
            Some(text) => Some(people::organization(app, text).await?),
            None => None,
        };
        let order = Order { organization, format: format(wanted.format, Some(&wanted.file)) };
        let path = if wanted.file.as_os_str() == "-" { Path::new("/dev/stdin") } else { &wanted.file };
        let file = tokio::fs::File::open(path).await;
        let file = file.map_err(|error| Error::internal(format!("{}: {error}", wanted.file.display())))?;
        people::import_file(app, order, mode, file, progress).await
    })
    .await?;
    if let Some(path) = &wanted.report {
        std::fs::write(path, &outcome.report)
            .map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
    } else {
        // Who was not made is worth a line each.
        let lines = outcome.report.lines().filter(|line| !line.contains(",made,")).collect::<Vec<_>>();
        say(&mut io::stdout(), &lines.join("\n"))?;
    }
    let Import { made, skipped, refused, failure, .. } = outcome.import;
    if let Some(failure) = failure {
        return Err(Error::internal(format!("the import failed: {failure}; {made} were made before")));
    }
    let verb = if wanted.dry_run { "would be made" } else { "were made" };
    say(&mut io::stderr(), &format!("{made} {verb}, {skipped} were there before, {refused} lines were refused."))
}

fn progress(import: &Import) {
    let Import { at_line, made, .. } = import;
    // Nothing is lost with a line that can't be shown.
    drop(say(&mut io::stderr(), &format!("{at_line} lines read, {made} made")));
}

/// Writes people out.
pub async fn export(config: Config, wanted: ExportPeople) -> Result<()> {
    let hashes = if wanted.with_hashes { Hashes::Go } else { Hashes::Stay };
    let rows = server::with_app(&config, &Clock::default(), async |app| {
        let organization = match &wanted.organization {
            Some(text) => Some(people::organization(app, text).await?),
            None => None,
        };
        let order = Order { organization, format: format(wanted.format, wanted.output.as_ref()) };
        match &wanted.output {
            None => people::write_export(app, order, hashes, io::stdout()).await,
            Some(path) => {
                // What is in it is nobody else's business on this machine.
                let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
                let file = file.map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
                people::write_export(app, order, hashes, io::BufWriter::new(file)).await
            }
        }
    })
    .await?;
    say(&mut io::stderr(), &format!("{rows} people were written."))
}

fn say(to: &mut impl Write, text: &str) -> Result<()> {
    writeln!(to, "{text}").map_err(Error::internal)
}
