//! Lists are pages: walked one by one they give what one large page gives, in the same order (API-2).

use serde_json::Value;

use super::{
    Failures,
    contract::{self, Operation},
    stage::{Stage, answered, draft},
};
use crate::harness::{Actor, Answer};

fn lists() -> impl Iterator<Item = &'static Operation> {
    contract::operations().iter().filter(|operation| operation.takes("cursor"))
}

async fn page(stage: &Stage, operation: &Operation, actor: &Actor, query: &str) -> Answer {
    let call = stage.call(operation, &stage.a);
    answered(operation, draft(operation, actor, &call, query)).await
}

fn ids(items: &[Value]) -> Vec<Value> {
    items.iter().map(|item| item["id"].clone()).collect()
}

/// Proves API-2.
#[tokio::test]
async fn pages_add_up_to_the_whole_list() {
    let mut failures = Failures::default();
    let stage = Stage::open().await;
    let mut walked = 0;
    for operation in lists() {
        let actor = stage.rightful(operation, &stage.a);
        let whole = page(&stage, operation, &actor, "?limit=200").await.expect(200);
        if !whole.json["next_cursor"].is_null() || !whole.header("link").is_empty() {
            failures.note(&operation.id, format!("the world fits on one page, but {whole}"));
        }
        let (mut found, mut query) = (Vec::new(), "?limit=2".to_owned());
        for _ in 0..=whole.items().len() {
            let next = page(&stage, operation, &actor, &query).await.expect(200);
            found.extend(ids(next.items()));
            let Some(cursor) = next.json["next_cursor"].as_str() else { break };
            if !next.header("link").ends_with("; rel=\"next\"") || !next.header("link").contains(cursor) {
                failures.note(&operation.id, format!("the Link is {:?}", next.header("link")));
            }
            query = format!("?limit=2&cursor={cursor}");
        }
        if found != ids(whole.items()) {
            failures.note(&operation.id, "the pages are not the list");
        }
        walked += usize::from(found.len() > 2);
    }
    stage.close().await;
    assert!(walked >= 4, "only {walked} lists have more than one page");
    failures.report();
}

/// Proves API-2, NET-9.
#[tokio::test]
async fn limits_and_cursors_that_are_none_are_refused() {
    let mut failures = Failures::default();
    let stage = Stage::open().await;
    for operation in lists() {
        let actor = stage.rightful(operation, &stage.a);
        let wrong =
            ["limit=0", "limit=201", "limit=-1", "limit=x", "limit=1e2", "limit=", "cursor=nonsense", "cursor="];
        for wrong in wrong {
            let (name, _) = wrong.split_once('=').unwrap();
            let answer = page(&stage, operation, &actor, &format!("?{wrong}")).await;
            if answer.status != 422 || answer.faults() != [name] {
                failures.note(&operation.id, format!("expected 422 that names {name}, but {answer}"));
            }
        }
    }
    stage.close().await;
    failures.report();
}
