//! How to report a vulnerability (RFC 9116).

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;

use crate::harness::{Database, PUBLIC_URL, Server};

const PATH: &str = "/.well-known/security.txt";

/// The values of a field, in their order.
fn fields<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(found, _)| *found == name).map(|(_, value)| value).collect()
}

/// Proves NET-13.
#[tokio::test]
async fn security_txt_says_where_to_report_and_until_when_that_is_good() {
    let database = Database::new().await;
    let settings = [
        ("FREEHOLD_SECURITY_CONTACT", "mailto:security@example.com, https://example.com/report"),
        ("FREEHOLD_SECURITY_LANGUAGES", "en, de"),
        ("FREEHOLD_SECURITY_POLICY", "https://example.com/security"),
    ];
    let server = Server::configured(&database, &settings).await;
    let answer = server.nobody().get(PATH).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(fields(&answer.text, "Contact"), ["mailto:security@example.com", "https://example.com/report"]);
    assert_eq!(fields(&answer.text, "Preferred-Languages"), ["en, de"]);
    assert_eq!(fields(&answer.text, "Canonical"), [format!("{PUBLIC_URL}{PATH}")]);
    assert_eq!(fields(&answer.text, "Policy"), ["https://example.com/security"]);
    let expires = fields(&answer.text, "Expires");
    let expires: DateTime<Utc> = expires[0].parse().unwrap_or_else(|_| panic!("no time: {expires:?}"));
    let left = expires - server.app().clock.now();
    assert!(left > TimeDelta::days(80) && left < TimeDelta::days(365), "{expires}");
    assert_eq!(answer.text.lines().count(), 6);
    assert!(answer.text.ends_with('\n'));
    // It never runs out while the server runs.
    server.advance(TimeDelta::days(400));
    let later = server.nobody().get(PATH).await.expect(200);
    let renewed: DateTime<Utc> = fields(&later.text, "Expires")[0].parse().unwrap();
    assert!(renewed - expires > TimeDelta::days(399));
    server.nobody().request(Method::HEAD, PATH).send().await.expect(200);
    server.nobody().post_nothing(PATH).await.expect(405).problem("method_not_allowed");
    server.nobody().get("/.well-known/security.txt/x").await.expect(404);
    server.stop().await;
}

/// Proves NET-13.
#[tokio::test]
async fn without_a_word_the_contact_is_the_mailbox_that_every_domain_should_have() {
    let database = Database::new().await;
    let server = Server::configured(&database, &[("FREEHOLD_MAIL_FROM", "Example <no-reply@mail.example.com>")]).await;
    let answer = server.nobody().get(PATH).await.expect(200);
    assert_eq!(fields(&answer.text, "Contact"), ["mailto:security@mail.example.com"]);
    assert_eq!(fields(&answer.text, "Preferred-Languages"), ["en"]);
    assert!(fields(&answer.text, "Policy").is_empty());
    server.stop().await;
}

/// Proves NET-13.
#[test]
fn the_policy_of_the_project_says_when_one_hears_and_what_one_may_do() {
    let policy = include_str!("../../../SECURITY.md");
    let sections: Vec<_> = policy.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert!(sections.contains(&"Reporting a vulnerability") && sections.contains(&"What researchers may do"));
    assert!(policy.contains("**acknowledge within 48 hours**"));
}
