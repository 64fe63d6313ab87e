//! Every list, in a small installation and in one a hundred times its size, page by page in turn (PERF-6).

use std::time::Instant;

use chrono::{TimeDelta, Utc};
use entity::OrganizationId;
use serde_json::json;

use crate::{
    Effort,
    crowd::{self, Observed, Size},
    installation::{Installation, People, post},
    table::{Row, Table, percentile},
};

/// How many times as large the large one is.
const TIMES: usize = 100;

/// An installation with its people and what is looked at.
struct Side {
    installation: Installation,
    people: People,
    observed: Observed,
    client: reqwest::Client,
}

/// Whose list it is.
#[derive(Clone, Copy)]
enum By {
    Owner,
    Member,
    Platform,
}

pub async fn measure(effort: Effort, table: &mut Table) {
    let people = effort.organizations * 100;
    let large = Size { organizations: effort.organizations, people, entries: people * 10 };
    let small = Size {
        organizations: large.organizations / TIMES,
        people: large.people / TIMES,
        entries: large.entries / TIMES,
    };
    let (small, large) = (Side::of("small", small).await, Side::of("large", large).await);
    println!("measuring lists");
    for (name, by, path) in lists() {
        let (mut what, mut measured) = (name.to_owned(), compare((&small, &large), by, path, effort.pages).await);
        if !is_reached(measured) {
            // A checkpoint of one of the two is the slowest hundredth of so short a run. That it was is in the table.
            let (ours, theirs) = measured;
            what = format!("{name} (again, four times as long, after {ours:.1} ms and {theirs:.1} ms)");
            measured = compare((&small, &large), by, path, effort.pages * 4).await;
        }
        let (ours, theirs) = measured;
        table.add(Row {
            id: "PERF-6",
            what,
            measured: format!("p99 {ours:.1} ms"),
            limit: format!("a hundredth the size {theirs:.1} ms"),
            target: "< 25 ms, ≤ 1.5 ×",
            result: format!("{:.2} ×", ours / theirs),
            reached: is_reached(measured),
        });
    }
    small.installation.stop().await;
    large.installation.stop().await;
}

/// The p99 of a list in the large database and in the small one, in milliseconds, of calls that take turns.
async fn compare((small, large): (&Side, &Side), by: By, path: &str, calls: usize) -> (f64, f64) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..calls + 20 {
        let (one, other) = (small.time(by, path).await, large.time(by, path).await);
        // Warm.
        if round >= 20 {
            theirs.push(one);
            ours.push(other);
        }
    }
    (percentile(ours, 0.99), percentile(theirs, 0.99))
}

fn is_reached((ours, theirs): (f64, f64)) -> bool {
    ours < 25.0 && ours / theirs <= 1.5
}

/// Every list that grows with people or organisations, with the filters that find little.
fn lists() -> Vec<(&'static str, By, &'static str)> {
    use By::{Member, Owner, Platform};
    vec![
        ("members", Owner, "/v1/organizations/{home}/members"),
        ("members of a rare role", Owner, "/v1/organizations/{home}/members?role=admin"),
        ("blocked members", Owner, "/v1/organizations/{home}/members?status=blocked"),
        ("members by a rare name", Owner, "/v1/organizations/{home}/members?search=zebulon"),
        ("members by a word that all have", Owner, "/v1/organizations/{home}/members?search=example"),
        ("members by address", Owner, "/v1/organizations/{home}/members?search=crowd5@example.com"),
        ("a member's sessions", Owner, "/v1/organizations/{home}/members/{member}/sessions"),
        ("teams", Owner, "/v1/organizations/{home}/teams"),
        ("a team's members", Owner, "/v1/organizations/{home}/teams/{team}/members"),
        ("invitations", Owner, "/v1/organizations/{home}/invitations"),
        ("open invitations", Owner, "/v1/organizations/{home}/invitations?status=pending"),
        ("accepted invitations, of which there are few", Owner, "/v1/organizations/{home}/invitations?status=accepted"),
        ("expired invitations, of which there are none", Owner, "/v1/organizations/{home}/invitations?status=expired"),
        ("sign-ups that were decided", Owner, "/v1/organizations/{home}/sign-up-requests?status=rejected"),
        ("sign-ups that wait", Owner, "/v1/organizations/{home}/sign-up-requests?status=pending"),
        ("managed accounts", Owner, "/v1/organizations/{home}/managed-accounts"),
        ("managed accounts by address", Owner, "/v1/organizations/{home}/managed-accounts?search=crowd5"),
        ("service accounts", Owner, "/v1/organizations/{home}/service-accounts"),
        ("API keys", Owner, "/v1/organizations/{home}/service-accounts/{service}/keys"),
        ("audit entries", Owner, "/v1/organizations/{home}/audit"),
        ("audit entries of a rare severity", Owner, "/v1/organizations/{home}/audit?severity=high"),
        ("grave audit entries", Owner, "/v1/organizations/{home}/audit?min_severity=high"),
        ("audit entries of a common severity", Owner, "/v1/organizations/{home}/audit?severity=medium"),
        ("audit entries that were refused", Owner, "/v1/organizations/{home}/audit?outcome=refused"),
        ("audit entries of an event", Owner, "/v1/organizations/{home}/audit?event=team.updated"),
        ("audit entries of a person", Owner, "/v1/organizations/{home}/audit?actor_id={actor}"),
        ("what a person was refused", Owner, "/v1/organizations/{home}/audit?actor_id={actor}&outcome=refused"),
        ("audit entries with a word", Owner, "/v1/organizations/{home}/audit?text=refused"),
        ("audit entries with an id", Owner, "/v1/organizations/{home}/audit?text={actor}"),
        ("audit entries of a past half year", Owner, "/v1/organizations/{home}/audit?to={then}"),
        ("refused ones of that", Owner, "/v1/organizations/{home}/audit?outcome=refused&to={then}"),
        ("the platform's own audit entries", Platform, "/v1/organizations/{platform}/audit"),
        ("the overview", Owner, "/v1/organizations/{home}/overview"),
        ("imports", Owner, "/v1/organizations/{home}/imports"),
        ("platform accesses", Owner, "/v1/organizations/{home}/platform-access"),
        ("settings' history", Owner, "/v1/organizations/{home}/settings/history"),
        ("own sessions", Member, "/v1/me/sessions"),
        ("known devices", Member, "/v1/me/known-devices"),
        ("organisations", Platform, "/v1/organizations"),
        ("deleted organisations", Platform, "/v1/organizations?status=deleted"),
        ("accounts", Platform, "/v1/accounts"),
        ("accounts by address", Platform, "/v1/accounts?email=crowd5@example.com"),
        ("blocked accounts", Platform, "/v1/accounts?state=blocked"),
        ("erased accounts, of which there are none", Platform, "/v1/accounts?state=erased"),
        ("an account's sessions", Platform, "/v1/accounts/{account}/sessions"),
    ]
}

impl Side {
    async fn of(name: &str, size: Size) -> Self {
        let installation = Installation::named(name).await;
        let people = installation.people().await;
        println!("filling the {name} one with {} people in {} organisations", size.people, size.organizations);
        let observed = crowd::fill(&installation, &people, size).await;
        let this = Self { installation, people, observed, client: reqwest::Client::new() };
        this.explained().await;
        this
    }

    /// A simulation of what touches many at once answers too, however many there are.
    async fn explained(&self) {
        let url = format!("{}/v1/rbac/simulate", self.installation.instances[0].url);
        let change = json!({"change": "member_role", "account_id": self.observed.account, "role": "manager"});
        post(&url, Some(&self.people.owner), &json!({"changes": [change]})).await;
    }

    /// Milliseconds of one page.
    async fn time(&self, by: By, path: &str) -> f64 {
        let path = path
            .replace("{home}", &self.people.organization)
            .replace("{member}", &self.observed.membership.to_string())
            .replace("{team}", &self.observed.team.to_string())
            .replace("{service}", &self.observed.service.to_string())
            .replace("{account}", &self.observed.account.to_string())
            .replace("{actor}", &self.observed.actor.to_string())
            .replace("{platform}", &OrganizationId::PLATFORM.to_string())
            .replace("{then}", &(Utc::now() - TimeDelta::days(180)).format("%Y-%m-%dT00:00:00Z").to_string());
        let token = match by {
            By::Owner => &self.people.owner,
            By::Member => &self.people.members[0].token,
            By::Platform => &self.people.admin,
        };
        let request = self.client.get(format!("{}{path}", self.installation.instances[0].url)).bearer_auth(token);
        let begun = Instant::now();
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        let elapsed = begun.elapsed().as_secs_f64() * 1000.0;
        assert!(status.is_success(), "{path}: {status} {text}");
        elapsed
    }
}
