//! Whom a request is for: one host, and where it matters one of ours.

use reqwest::Method;

use super::exchange;
use crate::{
    harness::{Actor, Database, Server},
    world::World,
};

async fn status(server: &Server, head: &str) -> String {
    let answer = exchange(server.address(), format!("{head}connection: close\r\n\r\n").as_bytes()).await;
    let (first, _) = answer.split_once("\r\n").unwrap_or_else(|| panic!("{head:?} was answered {answer:?}"));
    if first.contains(" 400 ") {
        assert!(answer.contains("\"code\":\"malformed_request\"") && answer.contains("x-request-id: "), "{answer}");
    }
    first.split(' ').nth(1).unwrap().to_owned()
}

/// RFC 9112, 3.2.
#[tokio::test]
async fn a_request_names_its_host_once() {
    let world = World::open().await;
    let get = |lines: &str| format!("GET /v1/setup HTTP/1.1\r\n{lines}");
    for right in ["host: localhost\r\n", "host: 127.0.0.1:80\r\n", "HOST: [::1]:8080\r\n"] {
        assert_eq!(status(&world.server, &get(right)).await, "200", "{right}");
    }
    for wrong in [
        "",
        "host:\r\n",
        "host: localhost\r\nhost: localhost\r\n",
        "host: localhost\r\nhost: evil.example\r\n",
        "host: user@localhost\r\n",
        "host: localhost/path\r\n",
        "host: local host\r\n",
        "host: localhost:99999\r\n",
        "host: localhost, evil.example\r\n",
    ] {
        assert_eq!(status(&world.server, &get(wrong)).await, "400", "{wrong:?}");
    }
    assert_eq!(status(&world.server, "GET /v1/setup HTTP/1.0\r\n").await, "200");
    world.close().await;
}

/// A foreign name that is made to lead here must not read the links of the mails.
#[tokio::test]
async fn the_mail_page_is_for_this_machine_only() {
    let database = Database::new().await;
    let server = Server::configured(&database, &[("FREEHOLD_HTTP_PUBLIC_URL", "http://dev.example:8080")]).await;
    let get =
        async |actor: &Actor, host: &str| actor.request(Method::GET, "/dev/mail").header("host", host).send().await;
    for ours in ["localhost:8080", "127.0.0.1", "[::1]:1", "LOCALHOST", "dev.example", "Dev.Example:9"] {
        get(server.nobody(), ours).await.expect(200);
    }
    for foreign in
        ["rebound.example", "rebound.example:8080", "localhost.evil.example", "127.0.0.2", "evil.dev.example"]
    {
        get(server.nobody(), foreign).await.expect(403).problem("cross_site_request");
        let letter = "/dev/mail/01a1fc64-cfa6-7344-8b59-055e68e640cc";
        let answer = server.nobody().request(Method::GET, letter).header("host", foreign).send().await;
        answer.expect(403).problem("cross_site_request");
    }
    for method in [Method::POST, Method::DELETE, Method::PUT] {
        let refused = server.nobody().request(method, "/dev/mail").send().await;
        let refused = refused.expect(405).problem("method_not_allowed");
        assert_eq!(refused.header("allow"), "GET, HEAD");
    }
    server.stop().await;
}
