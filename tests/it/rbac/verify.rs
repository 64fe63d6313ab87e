//! Whoever gets an export can verify it with tools that are not ours, exactly as `policies/VERIFY.md` says, and nothing
//! that was changed by a byte passes.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{export, path};
use crate::{
    harness::{Actor, Answer, Database, Login, PASSWORD, PATIENCE, Server, eventually, folder},
    world::{Tenant, World},
};

const GUIDE: &str = include_str!("../../../policies/VERIFY.md");

/// A block of the guide, by the word after its language.
fn block(name: &str) -> String {
    let begun = ["sh", "js"].iter().find_map(|language| GUIDE.split_once(&format!("```{language} {name}\n")));
    let (_, begin) = begun.unwrap_or_else(|| panic!("no block {name}"));
    begin.split_once("```").unwrap().0.to_owned()
}

/// A folder of an auditor's own, with the tools.
fn desk() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let desk = folder("auditor");
    std::fs::copy(root.join("policies/verify.sh"), desk.join("verify.sh")).unwrap();
    std::fs::write(desk.join("verify.mjs"), block("jose")).unwrap();
    let modules = root.join("openapi/node_modules");
    assert!(modules.join("jose").is_dir(), "make deps installs jose");
    std::os::unix::fs::symlink(modules, desk.join("node_modules")).unwrap();
    desk
}

fn shell(desk: &Path, script: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new("sh");
    command.args(["-euc", script]).current_dir(desk).envs(variables.iter().copied());
    command.output().unwrap()
}

/// Whether openssl, and whether the library, take the document on the desk for what was signed.
fn verified(desk: &Path) -> (bool, bool) {
    let openssl = shell(desk, &block("openssl"), &[]);
    let mut node = Command::new("node");
    node.args(["verify.mjs", "policies.json", "policies.jws", "signature-keys.json"]);
    let jose = node.current_dir(desk).output().unwrap();
    if !openssl.status.success() || !jose.status.success() {
        println!("{}\n{}", String::from_utf8_lossy(&openssl.stderr), String::from_utf8_lossy(&jose.stderr));
    }
    (openssl.status.success(), jose.status.success())
}

async fn put(desk: &Path, answer: &Answer, nobody: &Actor) {
    let keys = nobody.get("/.well-known/signature-keys.json").await.expect(200);
    std::fs::write(desk.join("policies.json"), &answer.text).unwrap();
    std::fs::write(desk.join("policies.jws"), answer.header("x-jws-signature")).unwrap();
    std::fs::write(desk.join("signature-keys.json"), &keys.text).unwrap();
}

fn header(jws: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jws.split('.').next().unwrap()).unwrap()).unwrap()
}

/// Proves AZ-5.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_taken_as_the_guide_says_is_verified_and_refused_when_a_byte_was_changed() {
    let world = World::open().await;
    let (a, desk) = (&world.a, desk());
    let (server, organization) = (format!("http://{}", world.server.address()), a.id.to_string());
    let variables =
        [("FREEHOLD", server.as_str()), ("TOKEN", a.auditor.token()), ("ORGANIZATION", organization.as_str())];
    let fetched = shell(&desk, &block("fetch"), &variables);
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    assert_eq!(verified(&desk), (true, true));
    let document = std::fs::read(desk.join("policies.json")).unwrap();

    // One byte, wherever: a decision, the last, the first; one more, one less.
    let deny = document.windows(6).position(|bytes| bytes == b"\"deny\"").unwrap();
    let mut tampered = Vec::new();
    for at in [0, deny + 1, document.len() - 1] {
        let mut other = document.clone();
        other[at] ^= 1;
        tampered.push(other);
    }
    tampered.push([&document[..], b"\n"].concat());
    tampered.push(document[..document.len() - 1].to_vec());
    for other in tampered {
        std::fs::write(desk.join("policies.json"), other).unwrap();
        assert_eq!(verified(&desk), (false, false));
    }
    std::fs::write(desk.join("policies.json"), &document).unwrap();
    assert_eq!(verified(&desk), (true, true), "as it was");

    // What the guide says of the revision's digest.
    let map: Value = serde_json::from_slice(&document).unwrap();
    let sum = "jq -cSj '{files_sha256: .revision.files_sha256, operations, roles}' policies.json | sha256sum";
    assert!(GUIDE.contains(sum));
    let sum = shell(&desk, sum, &[]);
    assert_eq!(map["revision"]["sha256"].as_str(), String::from_utf8_lossy(&sum.stdout).split(' ').next());
    // The digest of the header is that of the bytes, and the record has it.
    let answer = export(&a.auditor, a, "").await;
    let digest = Sha256::digest(&answer.text);
    assert_eq!(answer.header("content-digest"), format!("sha-256=:{}:", STANDARD.encode(digest)));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let record = format!("/v1/organizations/{}/audit?event=policy.exported&text={hex}", a.id);
    assert!(!a.auditor.get(&record).await.expect(200).items().is_empty());
    world.close().await;
}

/// Proves AZ-5: the same state is the same bytes, and a table is signed like the rest.
#[tokio::test(flavor = "multi_thread")]
async fn one_state_has_one_sequence_of_bytes_in_every_form() {
    let world = World::open().await;
    let (a, desk) = (&world.a, desk());
    // A name that a spreadsheet would run.
    a.owner
        .patch(&format!("/v1/organizations/{}/teams/{}", a.id, a.team), json!({"name": "=1+1", "role": "manager"}))
        .await
        .expect(200);
    let second = Server::start(&world.database).await;
    for query in ["", "?format=csv", "?format=csv&table=holders"] {
        let one = export(&a.auditor, a, query).await;
        let other = export(&a.admin.at_server_of(second.nobody()), a, query).await;
        assert_eq!(one.text, other.text, "{query}");
        put(&desk, &one, world.server.nobody()).await;
        assert_eq!(verified(&desk), (true, true), "{query}");
    }
    let operations =
        a.auditor.request(reqwest::Method::GET, &path(a, "")).header("accept", "text/csv").send().await.expect(200);
    assert!(operations.header("content-type").starts_with("text/csv"), "{operations}");
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(operations.text.as_bytes()).records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), world.server.app().policy.registry().rows().len());
    let holders = export(&a.auditor, a, "?format=csv&table=holders").await.text;
    assert!(holders.contains(",'=1+1,"), "{holders}");
    second.stop().await;
    world.close().await;
}

/// Lets ten minutes pass for the keys.
async fn later(database: &Database) {
    let mut psql = database.psql(Login::Owner).await;
    let past = "UPDATE signing_keys SET created_at = created_at - interval '10 minutes', retired_at = retired_at - interval '66 minutes'";
    psql.run(past).await.unwrap();
}

/// Waits until a server signs with this algorithm.
async fn signed_with(server: &Server, tenant: &Tenant, algorithm: &str) -> Answer {
    // The key that signed the token of the world's auditor may have retired.
    let sign_in = json!({"email": tenant.auditor.email, "password": PASSWORD, "token_delivery": "body"});
    let token = server.nobody().post("/v1/sessions", sign_in).await.expect(201).text_at("/access_token").to_owned();
    let auditor = server.bearer(&token);
    eventually(&format!("{algorithm} signs"), PATIENCE, async || {
        let answer = export(&auditor, tenant, "").await;
        (header(answer.header("x-jws-signature"))["alg"] == algorithm).then_some(answer)
    })
    .await
}

/// Proves AZ-5, SES-3: by every algorithm, and when its key has long retired.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_retired_key_signed_is_verified_and_every_algorithm_is() {
    let world = World::open().await;
    let (a, desk) = (&world.a, desk());
    let first = export(&a.auditor, a, "").await;
    let mut kept = vec![first];
    for algorithm in ["EdDSA", "RS256"] {
        later(&world.database).await;
        let server = Server::configured(&world.database, &[("FREEHOLD_TOKENS_ALGORITHM", algorithm)]).await;
        later(&world.database).await;
        kept.push(signed_with(&server, a, algorithm).await);
        server.stop().await;
    }
    later(&world.database).await;
    let server = Server::configured(&world.database, &[("FREEHOLD_TOKENS_ALGORITHM", "RS256")]).await;
    let old = header(kept[0].header("x-jws-signature"))["kid"].clone();
    let has = |keys: &Answer| keys.json["keys"].as_array().unwrap().iter().any(|key| key["kid"] == old);
    eventually("the first key has retired", PATIENCE, async || {
        (!has(&server.nobody().get("/.well-known/jwks.json").await.expect(200))).then_some(())
    })
    .await;
    assert!(has(&server.nobody().get("/.well-known/signature-keys.json").await.expect(200)));
    for answer in &kept {
        put(&desk, answer, server.nobody()).await;
        assert_eq!(verified(&desk), (true, true), "{}", answer.header("x-jws-signature"));
    }
    // The signature of one is not that of another.
    std::fs::write(desk.join("policies.jws"), kept[0].header("x-jws-signature")).unwrap();
    std::fs::write(desk.join("policies.json"), format!("{} ", kept[1].text)).unwrap();
    assert_eq!(verified(&desk), (false, false));
    server.stop().await;
    world.close().await;
}

/// Proves AZ-5, SES-1: a signature is no token, and a token no signature.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_no_token_and_a_token_no_signature() {
    let world = World::open().await;
    let (a, desk) = (&world.a, desk());
    let answer = export(&a.auditor, a, "").await;
    let jws = answer.header("x-jws-signature").to_owned();
    world.server.nobody().bearing(&jws).get("/v1/me").await.expect(401).problem("unauthenticated");
    // Nor would it be if its payload were a token's claims, signed by the very key: the `typ` says what it is.
    let token = a.auditor.token();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let app = world.server.app();
    let signed = app.sessions.keys().sign_detached("json", &claims, app.clock.now()).unwrap();
    let posed = signed.replace("..", &format!(".{}.", URL_SAFE_NO_PAD.encode(&claims)));
    world.server.nobody().bearing(&posed).get("/v1/me").await.expect(401).problem("unauthenticated");
    // An access token, presented as the signature of its own claims.
    put(&desk, &answer, world.server.nobody()).await;
    let mut parts: Vec<&str> = token.split('.').collect();
    parts[1] = "";
    std::fs::write(desk.join("policies.jws"), parts.join(".")).unwrap();
    std::fs::write(desk.join("policies.json"), &claims).unwrap();
    assert_eq!(verified(&desk), (false, false));
    world.close().await;
}
