//! The load harness: the real binary on a real PostgreSQL, beside the limit that each target is measured against, in one
//! run on one machine. It writes a table of ratios; nothing here passes or fails by time.
//!
//!     cargo bench --bench load [-- quick] [reads sign_ins writes sealing revocations rotation lists]
//!
//! Names measure only what is named.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark ends when something is wrong, says what it does, and talks to what it has started"
)]

mod bare;
mod crowd;
mod installation;
mod lists;
mod reads;
mod revocations;
mod rotation;
mod sealing;
mod sign_ins;
mod table;
mod tools;
mod writes;

use std::time::Duration;

use installation::Installation;
use table::Table;

// As in the real one: what is compared is built alike.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long and how often things are measured.
#[derive(Clone, Copy)]
pub struct Effort {
    /// One measurement.
    pub span: Duration,
    /// How often each is repeated, in turn with what it is compared to.
    pub rounds: usize,
    /// How many revocations are timed.
    pub revocations: usize,
    /// How many people there are when a key is changed.
    pub people: usize,
    /// How many organisations there are in the large installation, with a hundred people each.
    pub organizations: usize,
    /// How many pages of each list are timed.
    pub pages: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // The same program is the bare server that the real one is compared with.
    if let Some(at) = arguments.iter().position(|argument| argument == bare::ARGUMENT) {
        return bare::serve(&arguments[at + 1]);
    }
    let quick = arguments.iter().any(|argument| argument == "quick");
    let effort = if quick {
        Effort {
            span: Duration::from_secs(3),
            rounds: 1,
            revocations: 20,
            people: 20_000,
            organizations: 1_000,
            pages: 200,
        }
    } else {
        Effort {
            span: Duration::from_secs(10),
            rounds: 3,
            revocations: 200,
            people: 200_000,
            organizations: 10_000,
            pages: 1_000,
        }
    };
    tools::required();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let table = runtime.block_on(measure(effort, |name| wanted(&arguments, name)));
    let path = table.write();
    println!("\n{table}\nWritten to {}", path.display());
}

const PARTS: [&str; 7] = ["reads", "sign_ins", "writes", "sealing", "revocations", "rotation", "lists"];

/// Whether a part is named, or none is.
fn wanted(arguments: &[String], part: &str) -> bool {
    let named = |part: &str| arguments.iter().any(|argument| argument == part);
    named(part) || !PARTS.into_iter().any(named)
}

async fn measure(effort: Effort, wanted: impl Fn(&str) -> bool) -> Table {
    let mut table = Table::default();
    let installation = Installation::start().await;
    let people = installation.people().await;
    installation.idle(&mut table).await;
    if wanted("reads") {
        reads::measure(&installation, &people, effort, &mut table).await;
    }
    if wanted("sign_ins") {
        sign_ins::measure(&installation, &people, effort, &mut table).await;
    }
    if wanted("writes") {
        writes::measure(&installation, &people, effort, &mut table).await;
    }
    if wanted("sealing") {
        sealing::measure(&installation, &people, effort, &mut table).await;
    }
    if wanted("revocations") {
        revocations::measure(&installation, &people, effort, &mut table).await;
    }
    if wanted("rotation") {
        rotation::measure(&installation, &people, effort, &mut table).await;
    }
    installation.stop().await;
    if wanted("lists") {
        lists::measure(effort, &mut table).await;
    }
    table
}
