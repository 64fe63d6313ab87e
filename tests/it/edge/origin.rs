//! Where a request comes from and what it is called: the word of a trusted proxy, or our own.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, Draft, PASSWORD, Server},
    world::World,
};

/// A failed sign-in with more headers: what it was answered, and what the record says of it.
async fn recorded(world: &World, server: &Server, lines: &[(&str, &str)]) -> (Answer, Value) {
    // Each time by another address: too many failures of one would not be looked at.
    let email = format!("nobody.{}@example.com", freehold::runtime::Ids.next::<uuid::Uuid>());
    let body = json!({"email": email, "password": PASSWORD, "token_delivery": "body"});
    let draft = server.nobody().request(Method::POST, "/v1/sessions").json(&body);
    let answer = with(draft, lines).send().await.expect(401);
    server.flush_refusals().await;
    let platform = world.platform.get("/v1/me").await.expect(200).id_at("/organization/id");
    let audit = world.platform.get(&format!("/v1/organizations/{platform}/audit?event=session.failed&limit=1")).await;
    (answer, audit.expect(200).items()[0].clone())
}

fn with(draft: Draft, lines: &[(&str, &str)]) -> Draft {
    lines.iter().fold(draft, |draft, (name, value)| draft.header(name, value))
}

async fn behind(world: &World, proxy: &str) -> Server {
    Server::configured(&world.database, &[("FREEHOLD_HTTP_TRUSTED_PROXIES", proxy)]).await
}

/// Proves NET-1, NET-8.
#[tokio::test]
async fn what_a_stranger_says_about_themselves_does_not_count() {
    let world = World::open().await;
    let said = [
        ("x-request-id", "chosen-by-me"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-real-ip", "203.0.113.9"),
        ("forwarded", "for=203.0.113.9"),
        ("user-agent", "Me/1.0"),
    ];
    let behind_another = behind(&world, "192.0.2.0/24").await;
    for server in [&world.server, &behind_another] {
        let (answer, entry) = recorded(&world, server, &said).await;
        let id = answer.header("x-request-id");
        assert!(id.parse::<uuid::Uuid>().is_ok(), "{id}");
        assert_eq!(answer.json["request_id"], id);
        assert_eq!(entry["request_id"], id);
        assert_eq!(entry["ip"], "127.0.0.1");
    }
    behind_another.stop().await;
    world.close().await;
}

/// Proves NET-1, NET-8.
#[tokio::test]
async fn what_a_trusted_proxy_says_does() {
    let world = World::open().await;
    let server = behind(&world, "127.0.0.0/8").await;
    let said = [("x-request-id", "from-the.proxy_7"), ("x-forwarded-for", "198.51.100.1, 203.0.113.9")];
    let (answer, entry) = recorded(&world, &server, &said).await;
    assert_eq!(answer.header("x-request-id"), "from-the.proxy_7");
    assert_eq!(answer.json["request_id"], "from-the.proxy_7");
    assert_eq!(entry["request_id"], "from-the.proxy_7");
    // The nearest that is not a trusted proxy; what is left of it anybody can write.
    assert_eq!(entry["ip"], "203.0.113.9");
    for garbage in ["", " ", "a b", "a,b", "<script>", "../../x", &"a".repeat(129), "caf\u{e9}"] {
        let (answer, entry) = recorded(&world, &server, &[("x-request-id", garbage)]).await;
        let id = answer.header("x-request-id");
        assert!(id.parse::<uuid::Uuid>().is_ok(), "{garbage:?} became {id:?}");
        assert_eq!(entry["request_id"], id);
    }
    server.stop().await;
    world.close().await;
}

/// Proves NET-1.
#[tokio::test]
async fn of_two_kinds_of_header_the_configured_one_counts_from_a_trusted_peer_only() {
    let world = World::open().await;
    let both = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=198.51.100.1;proto=https")];
    for (kind, trusted, address) in [
        ("x-forwarded", "127.0.0.0/8", "203.0.113.9"),
        ("forwarded", "127.0.0.0/8", "198.51.100.1"),
        ("x-forwarded", "192.0.2.0/24", "127.0.0.1"),
        ("forwarded", "192.0.2.0/24", "127.0.0.1"),
    ] {
        let settings = [("FREEHOLD_HTTP_TRUSTED_PROXIES", trusted), ("FREEHOLD_HTTP_FORWARDED_HEADER", kind)];
        let server = Server::configured(&world.database, &settings).await;
        let (_, entry) = recorded(&world, &server, &both).await;
        assert_eq!(entry["ip"], address, "{kind} from a peer when {trusted} is trusted");
        // The other kind alone says nothing.
        let other = if kind == "forwarded" { &both[..1] } else { &both[1..] };
        assert_eq!(recorded(&world, &server, other).await.1["ip"], "127.0.0.1");
        server.stop().await;
    }
    world.close().await;
}

/// Proves NET-8.
#[tokio::test]
async fn a_trace_goes_on_with_a_span_of_our_own() {
    let world = World::open().await;
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let get = async |traceparent: &str| {
        let draft = world.server.nobody().request(Method::GET, "/v1/setup").header("traceparent", traceparent);
        draft.send().await.expect(200).header("traceparent").to_owned()
    };
    let given = format!("00-{trace}-{parent}-01");
    let continued = get(&given).await;
    let parts: Vec<_> = continued.split('-').collect();
    assert_eq!((parts[0], parts[1], parts[3]), ("00", trace, "01"));
    assert_ne!(parts[2], parent);
    for broken in [
        "nonsense".to_owned(),
        format!("00-{}-{parent}-01", "0".repeat(32)),
        format!("ff-{trace}-{parent}-01"),
        format!("00-{}-{parent}-01", trace.to_uppercase()),
        format!("{given}-extra"),
    ] {
        let begun = get(&broken).await;
        assert!(begun.len() == 55 && !begun.contains(trace), "{broken} became {begun}");
    }
    world.close().await;
}
