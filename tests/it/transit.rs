//! The root key in Vault Transit: what is wrapped there, what is refused, and what an operator is told. The other side
//! is a real OpenBao, but where a story needs answers that no healthy server gives.

mod script;

use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use freehold::{
    config::{self, Config, Sources},
    error::{Error, Result},
    vault::Transit,
};
use reqwest::Method;
use serde_json::json;
use tracing::instrument::WithSubscriber;

use crate::harness::{OpenBao, Proxy, TRANSIT_KEY, folder};
use script::{Script, answer};

/// What `freehold.example.toml` tells operators to allow.
const POLICY: &str = r#"
path "transit/encrypt/freehold" { capabilities = ["update"] }
path "transit/decrypt/freehold" { capabilities = ["update"] }
"#;

const CLEAR: &[u8; 32] = b"a data key of exactly 32 bytes..";

/// Settings by the ends of their variables, the later ones winning.
fn settings(changes: &[(&str, &str)]) -> config::Transit {
    let names: Vec<_> =
        changes.iter().map(|(name, value)| (format!("FREEHOLD_SECRETS_TRANSIT_{name}"), *value)).collect();
    let mut variables = vec![("FREEHOLD_PROFILE", "development"), ("FREEHOLD_SECRETS_TRANSIT_KEY", TRANSIT_KEY)];
    variables.extend(names.iter().map(|(name, value)| (name.as_str(), *value)));
    let config = Config::load(&Sources::of(&variables)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    config.secrets.transit.unwrap()
}

fn transit(changes: &[(&str, &str)]) -> Transit {
    Transit::new(&settings(changes)).unwrap_or_else(|error| panic!("{error}"))
}

/// A client of this OpenBao with a token of its own.
async fn client_of(bao: &OpenBao) -> Transit {
    transit(&[("ADDRESS", bao.address()), ("TOKEN", &bao.token(POLICY).await)])
}

/// What an operator is told of a refusal, which is nothing that anybody may wait for.
fn refusal<T>(result: Result<T>) -> String {
    match result.err().expect("it was not refused") {
        error @ Error::Internal(_) => error.to_string(),
        error => panic!("not a refusal: {error}"),
    }
}

/// What an operator is told when it is worth asking again.
fn outage<T>(result: Result<T>) -> String {
    match result.err().expect("nothing was out of order") {
        error @ Error::Upstream { .. } => error.to_string(),
        error => panic!("not an outage: {error}"),
    }
}

/// Proves DAT-5.
#[tokio::test]
async fn a_key_is_unwrapped_only_for_the_context_it_was_wrapped_for() {
    let bao = OpenBao::start().await;
    let transit = client_of(&bao).await;
    transit.check().await.unwrap();
    for clear in [CLEAR.as_slice(), b"", &[0xff; 4096]] {
        let wrapped = transit.wrap(clear, b"data key 1").await.unwrap();
        assert!(wrapped.starts_with(b"vault:v1:"));
        assert_ne!(wrapped, transit.wrap(clear, b"data key 1").await.unwrap(), "the same twice");
        assert_eq!(transit.unwrap(&wrapped, b"data key 1").await.unwrap().as_slice(), clear);
        for other in [b"data key 2".as_slice(), b""] {
            assert!(refusal(transit.unwrap(&wrapped, other).await).contains("wrapped for something else"));
        }
    }
    let mut changed = transit.wrap(CLEAR, b"1").await.unwrap();
    changed[20] = if changed[20] == b'A' { b'B' } else { b'A' };
    assert!(refusal(transit.unwrap(&changed, b"1").await).contains("it was changed"));
    for nothing in [b"".as_slice(), b"vault:v1:", b"vault:vx:AAAA", b"\xff\xff", &changed[..9]] {
        assert!(refusal(transit.unwrap(nothing, b"1").await).contains("not the form of a wrapped key"));
    }
}

/// Proves DAT-5.
#[tokio::test]
async fn what_an_older_version_of_the_key_wrapped_is_still_unwrapped() {
    let bao = OpenBao::start().await;
    let transit = client_of(&bao).await;
    let old = transit.wrap(CLEAR, b"1").await.unwrap();
    bao.admin(Method::POST, "transit/keys/freehold/rotate", json!({})).await;
    let new = transit.wrap(CLEAR, b"1").await.unwrap();
    assert!(old.starts_with(b"vault:v1:") && new.starts_with(b"vault:v2:"));
    assert_eq!(transit.unwrap(&old, b"1").await.unwrap().as_slice(), CLEAR);
    assert_eq!(transit.unwrap(&new, b"1").await.unwrap().as_slice(), CLEAR);
    // Until the operator says that enough is enough.
    bao.admin(Method::POST, "transit/keys/freehold/config", json!({"min_decryption_version": 2})).await;
    assert!(refusal(transit.unwrap(&old, b"1").await).contains("below its min_decryption_version"));
    assert_eq!(transit.unwrap(&new, b"1").await.unwrap().as_slice(), CLEAR);
    transit.check().await.unwrap();
}

/// Proves DAT-5.
#[tokio::test]
async fn the_check_says_what_is_wrong_and_leaks_no_token() {
    let bao = OpenBao::start().await;
    bao.admin(Method::POST, "transit/keys/an-rsa-key", json!({"type": "rsa-2048"})).await;
    bao.admin(Method::POST, "transit/keys/a-derived-key", json!({"derived": true})).await;
    let (token, mighty) = (bao.token(POLICY).await, bao.mighty_token().await);
    let mighty = mighty.as_str();
    for (token, change, expected) in [
        ("hvs.nobody-ever-made-this-token", ("MOUNT", "transit"), "secrets.transit.token is wrong"),
        (token.as_str(), ("KEY", "freehole"), "\"update\" on transit/decrypt/freehole (403)"),
        (token.as_str(), ("MOUNT", "somewhere"), "\"update\" on somewhere/decrypt/freehold (403)"),
        (mighty, ("KEY", "freehole"), "has no key freehole in transit: secrets.transit.key is wrong"),
        (mighty, ("MOUNT", "some/where"), "has nothing at some/where/decrypt/freehold"),
        (mighty, ("MOUNT", "cubbyhole"), "something else than a Transit engine; is secrets.transit.mount right?"),
        (mighty, ("NAMESPACE", "team"), "secrets.transit.namespace is wrong"),
        (mighty, ("KEY", "an-rsa-key"), "of type aes256-gcm96 and not derived"),
        (mighty, ("KEY", "a-derived-key"), "of type aes256-gcm96 and not derived"),
    ] {
        let text = refusal(transit(&[("ADDRESS", bao.address()), ("TOKEN", token), change]).check().await);
        assert!(text.contains(expected) && text.contains(bao.address()), "{change:?}: {text}");
        assert!(!text.contains(token), "{change:?}: {text}");
    }
    // A mistyped name makes no key, not even for a token that may make some.
    let keys = bao.admin(Method::from_bytes(b"LIST").unwrap(), "transit/keys", json!({})).await;
    assert_eq!(keys["data"]["keys"], json!(["a-derived-key", "an-rsa-key", "freehold"]));
    // A policy that has half of what it takes.
    let half = bao.token(r#"path "transit/decrypt/freehold" { capabilities = ["update"] }"#).await;
    let text = refusal(transit(&[("ADDRESS", bao.address()), ("TOKEN", &half)]).check().await);
    assert!(text.contains("\"update\" on transit/encrypt/freehold"), "{text}");
}

/// Proves DAT-5.
#[tokio::test]
async fn keys_of_two_namespaces_are_two() {
    let bao = OpenBao::start().await;
    bao.admin(Method::POST, "sys/namespaces/team", json!({})).await;
    bao.add_transit("team").await;
    let token = bao.mighty_token().await;
    let own = [("ADDRESS", bao.address()), ("TOKEN", token.as_str())];
    let outer = transit(&own);
    let inner = transit(&[own.as_slice(), &[("NAMESPACE", "team/")]].concat());
    inner.check().await.unwrap();
    let wrapped = inner.wrap(CLEAR, b"1").await.unwrap();
    assert_eq!(inner.unwrap(&wrapped, b"1").await.unwrap().as_slice(), CLEAR);
    refusal(outer.unwrap(&wrapped, b"1").await);
    // The id tells one from another, and is the same at every start.
    let ids = [
        outer.id(),
        inner.id(),
        transit(&[own.as_slice(), &[("KEY", "other")]].concat()).id(),
        transit(&[own.as_slice(), &[("MOUNT", "transit/freehold"), ("KEY", "x")]].concat()).id(),
        transit(&[("ADDRESS", "https://vault.example.com"), ("TOKEN", &token)]).id(),
    ];
    assert!((0..ids.len()).all(|one| (0..one).all(|other| ids[one] != ids[other])), "{ids:?}");
    assert_eq!(outer.id(), transit(&[own.as_slice(), &[("TOKEN", "another"), ("MOUNT", "/transit/")]].concat()).id());
}

/// Proves DAT-5.
#[tokio::test]
async fn a_token_in_a_file_may_change_at_any_time() {
    let bao = OpenBao::start().await;
    let file = folder("transit-token").join("token");
    std::fs::write(&file, format!("{}\n", bao.token(POLICY).await)).unwrap();
    let transit = transit(&[("ADDRESS", bao.address()), ("TOKEN_FILE", file.to_str().unwrap())]);
    let wrapped = transit.wrap(CLEAR, b"1").await.unwrap();
    std::fs::write(&file, "hvs.an-ended-token").unwrap();
    assert!(refusal(transit.unwrap(&wrapped, b"1").await).contains("secrets.transit.token is wrong or has ended"));
    std::fs::write(&file, bao.token(POLICY).await).unwrap();
    assert_eq!(transit.unwrap(&wrapped, b"1").await.unwrap().as_slice(), CLEAR);
    for (text, expected) in [("", "holds no token"), ("two\nlines-of-4711", "holds no token")] {
        std::fs::write(&file, text).unwrap();
        let told = refusal(transit.wrap(CLEAR, b"1").await);
        assert!(told.contains(expected) && told.contains(file.to_str().unwrap()) && !told.contains("4711"), "{told}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(refusal(transit.wrap(CLEAR, b"1").await).contains("can't be read"));
}

/// Proves DAT-5.
#[tokio::test]
async fn a_sealed_or_missing_vault_is_an_outage() {
    let bao = OpenBao::start().await;
    let transit = client_of(&bao).await;
    let wrapped = transit.wrap(CLEAR, b"1").await.unwrap();
    bao.seal().await;
    assert!(outage(transit.unwrap(&wrapped, b"1").await).contains("sealed"));
    assert!(outage(transit.check().await).contains("sealed"));
    drop(bao);
    assert!(outage(transit.unwrap(&wrapped, b"1").await).contains("Connection refused"));
}

/// Proves DAT-5.
#[tokio::test]
async fn a_vault_that_says_nothing_is_given_up_after_ten_seconds() {
    let bao = OpenBao::start().await;
    let proxy = Proxy::to(bao.port()).await;
    let address = format!("http://127.0.0.1:{}", proxy.port());
    let transit = transit(&[("ADDRESS", &address), ("TOKEN", &bao.token(POLICY).await)]);
    let wrapped = transit.wrap(CLEAR, b"1").await.unwrap();
    proxy.freeze();
    let begun = Instant::now();
    assert!(outage(transit.unwrap(&wrapped, b"1").await).contains("no answer in time"));
    assert!(begun.elapsed() > Duration::from_secs(9) && begun.elapsed() < Duration::from_secs(12), "{begun:?}");
    proxy.restore();
    assert_eq!(transit.unwrap(&wrapped, b"1").await.unwrap().as_slice(), CLEAR);
}

/// Proves DAT-5.
#[tokio::test]
async fn only_what_may_pass_is_tried_again_and_three_times_at_most() {
    let good = answer(200, r#"{"data":{"ciphertext":"vault:v1:AAAA"}}"#);
    let script = async |answers: &[&str]| {
        let script = Script::of(answers).await;
        let transit = transit(&[("ADDRESS", script.address()), ("TOKEN", "hvs.scripted-4711")]);
        (transit.wrap(CLEAR, b"1").await, script.calls())
    };
    let no = |status: u16| answer(status, r#"{"errors":["hvs.scripted-4711 says no"]}"#);
    for answers in [
        [no(503).as_str(), &no(429), &good],
        [&no(412), &no(500), &good],
        // Hangs up without a word, or in the middle of one.
        ["", &good[..good.len() - 5], &good],
    ] {
        let (wrapped, calls) = script(&answers).await;
        assert_eq!((wrapped.unwrap().as_slice(), calls), (b"vault:v1:AAAA".as_slice(), 3));
    }
    let (given_up, calls) = script(&[&no(500), &no(502), &no(429), &good]).await;
    assert!(outage(given_up).contains("429") && calls == 3);
    for status in [400, 401, 403, 404, 405, 422] {
        let (refused, calls) = script(&[&no(status), &good]).await;
        let text = refusal(refused);
        assert!(text.contains(&status.to_string()) && !text.contains("4711") && calls == 1, "{status}: {text}");
    }
    let elsewhere = "HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let (sent_away, calls) = script(&[elsewhere, &good]).await;
    assert!(outage(sent_away).contains("sends us elsewhere (307)") && calls == 1);
}

/// Proves DAT-5.
#[tokio::test]
async fn an_answer_that_is_none_of_transits_is_refused() {
    let large = "A".repeat(70 << 10);
    let announced = answer(200, &format!(r#"{{"data":{{"ciphertext":"vault:v1:{large}"}}}}"#));
    let endless =
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{{\"data\":{{\"ciphertext\":\"vault:v1:{large}\"}}}}");
    for (given, expected) in [
        (announced, "more than 65536 bytes"),
        (endless, "more than 65536 bytes"),
        (answer(403, &large), "more than 65536 bytes"),
        (answer(200, "<html>4711</html>"), "something else than a Transit engine"),
        (answer(200, r#"{"data":{"value":"4711"}}"#), "something else than a Transit engine"),
        (answer(200, r#"{"data":{"ciphertext":"4711"}}"#), "something else than a wrapped key"),
    ] {
        let script = Script::of(&[&given]).await;
        let transit = transit(&[("ADDRESS", script.address()), ("TOKEN", "hvs.scripted")]);
        let text = refusal(transit.wrap(CLEAR, b"1").await);
        assert!(text.contains(expected) && !text.contains("4711") && script.calls() == 1, "{text}");
    }
    let script = Script::of(&[&answer(200, r#"{"data":{"plaintext":"4711!"}}"#)]).await;
    let transit = transit(&[("ADDRESS", script.address()), ("TOKEN", "hvs.scripted")]);
    assert!(refusal(transit.unwrap(b"vault:v1:AAAA", b"1").await).contains("something else than a key"));
}

/// Proves DAT-5.
#[tokio::test]
async fn a_vault_too_old_to_bind_a_context_is_refused() {
    let unwrapped = answer(200, &format!(r#"{{"data":{{"plaintext":"{}"}}}}"#, STANDARD.encode("freehold probe")));
    let script = Script::of(&[
        &answer(400, r#"{"errors":["invalid ciphertext: unable to decrypt"]}"#),
        &answer(200, r#"{"data":{"ciphertext":"vault:v1:AAAA"}}"#),
        &unwrapped,
        &unwrapped,
    ])
    .await;
    let transit = transit(&[("ADDRESS", script.address()), ("TOKEN", "hvs.scripted")]);
    assert!(refusal(transit.check().await).contains("ignores associated data"));
}

/// Proves DAT-5, NET-1.
#[tokio::test]
async fn a_private_authority_counts_only_when_it_is_named() {
    let bao = OpenBao::with_tls().await;
    let token = bao.token(POLICY).await;
    let own = [("ADDRESS", bao.address()), ("TOKEN", token.as_str())];
    let ca_file = bao.ca_file().unwrap().to_str().unwrap();
    let trusting = transit(&[own.as_slice(), &[("CA_FILE", ca_file)]].concat());
    trusting.check().await.unwrap();
    assert!(outage(transit(&own).check().await).contains("certificate"));
    // TLS spoken to a plain port, and the other way round.
    let plain = OpenBao::start().await;
    let wrong = plain.address().replace("http:", "https:");
    outage(transit(&[own.as_slice(), &[("ADDRESS", &wrong)]].concat()).check().await);
    let wrong = bao.address().replace("https:", "http:");
    transit(&[own.as_slice(), &[("ADDRESS", &wrong)]].concat()).check().await.unwrap_err();
    let empty = folder("transit-ca").join("ca.pem");
    std::fs::write(&empty, "nothing").unwrap();
    let nothing = settings(&[own.as_slice(), &[("CA_FILE", empty.to_str().unwrap())]].concat());
    assert!(refusal(Transit::new(&nothing)).contains("has no certificate in PEM"));
}

/// Proves DAT-5, DAT-9.
#[tokio::test]
async fn neither_token_nor_key_is_ever_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let bao = OpenBao::start().await;
    let (token, wrong) = (bao.token(POLICY).await, "hvs.nobody-ever-made-this-token");
    let told = async {
        let good = transit(&[("ADDRESS", bao.address()), ("TOKEN", &token)]);
        let wrapped = good.wrap(CLEAR, b"1").await.unwrap();
        good.unwrap(&wrapped, b"1").await.unwrap();
        let mut told = vec![refusal(good.unwrap(&wrapped, b"2").await)];
        told.push(refusal(transit(&[("ADDRESS", bao.address()), ("TOKEN", wrong)]).check().await));
        bao.seal().await;
        told.push(outage(good.wrap(CLEAR, b"1").await));
        told.join("\n")
    }
    .with_subscriber(subscriber)
    .await;
    let all = format!("{told}\n{}", log.text());
    assert!(all.contains("trying again") && all.contains("hyper_util"), "nothing was logged: {all}");
    let clear = STANDARD.encode(CLEAR);
    for secret in [token.as_str(), wrong, std::str::from_utf8(CLEAR).unwrap(), &clear] {
        assert!(!all.contains(secret), "{secret} in: {all}");
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
