//! How a stream begins, and who is refused one.

use serde_json::json;
use tokio::net::TcpStream;

use super::stream::{Stream, counted, shake, shake_over};
use crate::{
    edge::browser::Browser,
    harness::{PUBLIC_URL, Server},
    world::World,
};

/// Proves NET-12.
#[tokio::test]
async fn a_page_of_somebody_elses_cant_listen_with_our_cookies() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let browser = Browser::sign_in(nobody, PUBLIC_URL, &world.a.owner.email).await;
    let cookies = browser.cookie_header();
    let foreign: [&[(&str, &str)]; 8] = [
        &[],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://freehold.localhost")],
        &[("origin", "http://freehold.localhost:81")],
        &[("origin", "http://freehold.localhost.evil.example")],
        &[("origin", PUBLIC_URL), ("origin", "https://evil.example")],
        &[("origin", PUBLIC_URL), ("sec-fetch-site", "cross-site")],
    ];
    for headers in foreign {
        let headers = [&[("cookie", cookies.as_str())], headers].concat();
        let refused = shake(nobody, "", &headers).await.err().unwrap_or_else(|| panic!("{headers:?} was let in"));
        assert_eq!((refused.status, refused.code.as_str()), (403, "cross_site_request"), "{headers:?}");
    }
    let own = [("cookie", cookies.as_str()), ("origin", PUBLIC_URL), ("sec-fetch-site", "same-origin")];
    let (stream, _) = Stream::begun(shake(nobody, "", &own).await.unwrap()).await;
    stream.leave().await;
    // The cookie's token is no bearer token, here neither.
    let stolen = nobody.bearing(browser.cookie("freehold_access"));
    assert_eq!(shake(&stolen, "", &[]).await.unwrap_err().status, 401);
    world.close().await;
}

/// Proves NET-12.
#[tokio::test]
async fn the_token_is_never_in_the_address_and_the_role_has_to_be_there() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    assert_eq!(shake(nobody, "", &[]).await.unwrap_err().code, "unauthenticated");
    let token = world.a.owner.token();
    for query in ["access_token", "token"] {
        assert_eq!(shake(nobody, &format!("?{query}={token}"), &[]).await.unwrap_err().status, 401);
        assert_eq!(shake(&world.a.owner, &format!("?{query}={token}"), &[]).await.unwrap_err().status, 422);
    }
    for (person, status, code) in [
        (&world.a.member, 403, "forbidden"),
        (&world.a.manager, 403, "forbidden"),
        // They are members and not in it now, or were.
        (&world.a.blocked, 403, "organization_not_active"),
        (&world.a.guest, 403, "organization_not_active"),
    ] {
        let refused = shake(person, "", &[]).await.unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (status, code));
    }
    for cursor in ["nonsense", "AAAA", "MSAxOjE6IDE"] {
        assert_eq!(shake(&world.a.owner, &format!("?after={cursor}"), &[]).await.unwrap_err().status, 422);
    }
    // What is no WebSocket is told to become one.
    let plain = world.a.owner.get("/v1/events").await.expect(426).problem("upgrade_required");
    assert_eq!((plain.header("upgrade"), plain.header("connection")), ("websocket", "upgrade"));
    let old = world.a.owner.request(reqwest::Method::GET, "/v1/events").header("upgrade", "h2c");
    old.send().await.expect(426);
    world.close().await;
}

/// Proves NET-12.
#[tokio::test]
async fn an_account_has_a_few_streams_and_an_instance_some_more() {
    let world =
        World::configured(&[("FREEHOLD_EVENTS_MAX_STREAMS_PER_ACCOUNT", "2"), ("FREEHOLD_EVENTS_MAX_STREAMS", "3")])
            .await;
    let (owner, admin) = (&world.a.owner, &world.a.admin);
    let first = Stream::open(owner).await;
    let _second = Stream::open(owner).await;
    let refused = shake(owner, "", &[]).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str(), refused.retry_after.as_str()), (429, "too_many_requests", "10"));
    // Another session of the same person changes nothing; another person may.
    let own = json!({"email": owner.email, "password": crate::harness::PASSWORD, "token_delivery": "body"});
    let again = world.server.nobody().post("/v1/sessions", own).await.expect(201);
    let again = world.server.bearer(again.text_at("/access_token"));
    assert_eq!(shake(&again, "", &[]).await.unwrap_err().status, 429);
    let third = Stream::open(admin).await;
    counted(&world.platform, "open", 3).await;
    let refused = shake(&world.b.owner, "", &[]).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str(), refused.retry_after.as_str()), (503, "unavailable", "10"));
    // A place is free again as soon as its stream is gone, whether it said goodbye or not.
    first.leave().await;
    drop(third);
    counted(&world.platform, "open", 1).await;
    let _fourth = Stream::open(owner).await;
    let _fifth = Stream::open(&world.b.owner).await;
    world.close().await;
}

/// Proves NET-6, NET-12.
#[tokio::test]
async fn a_stream_keeps_its_place_among_the_connections_and_no_timer_of_http_ends_it() {
    let world = World::open().await;
    let server = Server::with(&world.database, |config| {
        config.http.max_connections = 2;
        config.http.header_timeout = std::time::Duration::from_secs(1);
    })
    .await;
    let owner = world.a.owner.at_server_of(server.nobody());
    let (first, mut second) = (Stream::open(&owner).await, Stream::open(&owner).await);
    // Longer than a head may take; and a frame of the client's is no head that it dawdles over.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    second.pong().await;
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    world.a.owner.post(&super::path(&world.a, "teams"), json!({"name": "Night"})).await.expect(201);
    assert_eq!(second.entries().await.len(), 1);
    let third = TcpStream::connect(owner.server()).await.unwrap();
    let refused = tokio::time::timeout(std::time::Duration::from_secs(5), crate::edge::rest(third)).await.unwrap();
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    first.leave().await;
    let mut free = None;
    crate::harness::eventually("a place is free", super::SOON, async || {
        let tcp = TcpStream::connect(owner.server()).await.unwrap();
        let mut first = [0];
        // What is one too many is told so at once.
        let told = tokio::time::timeout(std::time::Duration::from_millis(200), tcp.peek(&mut first)).await;
        free = told.is_err().then_some(tcp);
        free.is_some().then_some(())
    })
    .await;
    Stream::begun(shake_over(free.unwrap(), &owner, "", &[]).await.unwrap()).await.0.leave().await;
    server.stop().await;
    world.close().await;
}
