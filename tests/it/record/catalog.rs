//! The catalogue of events, as the interface and the document give it.

use std::{collections::BTreeSet, fmt::Write, path::Path};

use freehold::audit::{Home, Kept, Kind};
use serde_json::json;

use crate::world::World;

/// Proves AUD-1.
#[tokio::test]
async fn everybody_signed_in_reads_what_each_event_means() {
    let world = World::open().await;
    let catalog = world.a.member.get("/v1/audit/catalog").await.expect(200);
    let codes: BTreeSet<_> = catalog.items().iter().map(|kind| kind["code"].as_str().unwrap()).collect();
    assert!(codes.len() >= 60 && codes.len() == Kind::ALL.len(), "{}", codes.len());
    for kind in catalog.items() {
        for field in ["title", "meaning", "severity", "class", "home", "target_type"] {
            assert!(kind[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {kind}");
        }
    }
    let blocked = catalog.items().iter().find(|kind| kind["code"] == "account.blocked").unwrap();
    let details = blocked["details"].as_array().unwrap();
    let reason = details.iter().find(|detail| detail["name"] == "reason").unwrap();
    let sessions = details.iter().find(|detail| detail["name"] == "sessions").unwrap();
    assert_eq!((&reason["personal"], &sessions["personal"]), (&json!(true), &json!(false)));
    // The registry names no event that is not explained.
    let registry = include_str!("../../../policies/operations.csv");
    let mut lines = csv::Reader::from_reader(registry.as_bytes());
    let column = lines.headers().unwrap().iter().position(|name| name == "audit_event").unwrap();
    let named: BTreeSet<String> = lines.records().map(|line| line.unwrap()[column].to_owned()).collect();
    for code in named.iter().filter(|code| !code.is_empty()) {
        assert!(codes.contains(code.as_str()), "{code}");
    }
    world.server.nobody().get("/v1/audit/catalog").await.expect(401);
    world.close().await;
}

/// Proves AUD-1.
#[test]
fn the_document_says_what_the_code_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let expected = document();
    let present = std::fs::read_to_string(root.join("policies/EVENTS.md")).unwrap_or_default();
    if present != expected {
        let made = root.join("target/EVENTS.md");
        std::fs::write(&made, &expected).unwrap();
        panic!("policies/EVENTS.md is not what the code says: copy {} over it", made.display());
    }
}

fn document() -> String {
    let mut text = format!(
        "# Events\n\nWhat the record can say: {} types of events. `src/audit/catalog.rs` and `src/audit/details.rs` are where \
         they are declared, and a test holds this page to them; `GET /v1/audit/catalog` says the same to programs.\n\n\
         **Home** is whose record an event belongs to: the *organisation* in which it happens, or the *platform*'s, with a \
         copy in the record of the organisation that manages the account that it is about. **Class** says how long it is \
         kept. Details in *italics* are personal, as are the client's address and what it called itself: they lie beside the \
         entry, sealed, no search finds them, and they go when their person is erased.\n\n\
         | code | severity | class | home | target | meaning | details |\n|---|---|---|---|---|---|---|\n",
        Kind::ALL.len()
    );
    for kind in Kind::ALL {
        let details = kind.details();
        let named = details.iter().filter(|detail| detail.name != "acting").map(|detail| match detail.kept {
            Kept::Entry => format!("`{}`", detail.name),
            Kept::Beside => format!("*{}*", detail.name),
        });
        let home = if kind.home() == Home::Platform { "platform" } else { "organisation" };
        let named: Vec<_> = named.collect();
        writeln!(
            text,
            "| `{}` | {} | {} | {home} | {} | {} | {} |",
            kind.code(),
            kind.severity().as_str(),
            kind.class().as_str(),
            kind.target(),
            kind.meaning(),
            named.join(" ")
        )
        .unwrap();
    }
    text.push_str("\n## Details\n\n| detail | meaning |\n|---|---|\n");
    let all = Kind::ALL.iter().flat_map(|kind| kind.details());
    let meanings: BTreeSet<_> = all.map(|detail| (detail.name, detail.meaning)).collect();
    for (name, meaning) in meanings {
        writeln!(text, "| `{name}` | {meaning} |").unwrap();
    }
    text
}
