//! `GET /v1/me` with a bearer token, beside a bare handler that returns the same JSON (PERF-1).

use crate::{
    Effort,
    bare::Bare,
    installation::{Installation, People},
    table::{Row, Table, median},
    tools,
};

/// Connections that ask at once.
const CONNECTIONS: usize = 32;

pub async fn measure(installation: &Installation, people: &People, effort: Effort, table: &mut Table) {
    println!("measuring reads");
    let url = format!("{}/v1/me", installation.instances[0].url);
    let token = &people.members[0].token;
    let json = reqwest::Client::new().get(&url).bearer_auth(token).send().await.unwrap();
    assert!(json.status().is_success());
    let bare = Bare::start(&json.text().await.unwrap()).await;
    let script = format!("wrk.headers['Authorization'] = 'Bearer {token}'");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // Warm.
    tools::wrk(&url, CONNECTIONS, effort.span / 3, &script).await;
    tools::wrk(&bare.url, CONNECTIONS, effort.span / 3, &script).await;
    for _ in 0..effort.rounds {
        let seen = tools::wrk(&url, CONNECTIONS, effort.span, &script).await;
        assert_eq!(seen.failures, 0, "requests failed");
        ours.push(seen.per_second);
        theirs.push(tools::wrk(&bare.url, CONNECTIONS, effort.span, &script).await.per_second);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    table.add(Row {
        id: "PERF-1",
        what: "GET /v1/me".to_owned(),
        measured: format!("{ours:.0}/s"),
        limit: format!("bare poem handler {theirs:.0}/s"),
        target: "≥ 40 %",
        result: format!("{:.0} %", 100.0 * ours / theirs),
        reached: ours / theirs >= 0.4,
    });
}
