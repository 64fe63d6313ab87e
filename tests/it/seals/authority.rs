//! Who may have evidence, while it leaves.

use reqwest::Method;

use super::{all_sealed, leader, life::old_entries};
use crate::{harness::Login, world::World};

/// Proves AUD-4, SES-4: a member who loses the role in the middle gets no further page, and sees that the file broke off.
#[tokio::test]
async fn who_loses_access_gets_no_further_page_of_evidence() {
    let world = World::open().await;
    let a = &world.a;
    let mut psql = world.database.psql(Login::Owner).await;
    // More than the connection's buffers hold.
    old_entries(&mut psql, a.id, 40_000).await;
    let leader = leader(&world.database).await;
    all_sealed(&mut psql).await;
    leader.stop().await;
    let path = format!("/v1/organizations/{}/audit-evidence", a.id);
    let mut answer = a.auditor.request(Method::GET, &path).begin().await;
    assert_eq!(answer.status(), 200);
    answer.chunk().await.unwrap().unwrap();
    let member = format!("/v1/organizations/{}/members/{}", a.id, a.auditor.membership);
    a.owner.delete(&member).await.expect(204);
    let (mut bytes, mut whole) = (0, false);
    let broken = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => {
                bytes += chunk.len();
                whole |= String::from_utf8_lossy(&chunk).contains("\"end\"");
            }
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken && !whole, "the file ended as if it were whole, after {bytes} bytes");
    // The control: whoever stays gets all of it.
    let all = a.admin.get(&path).await.expect(200).text;
    assert!(all.len() > bytes && all.lines().last().unwrap_or_default().contains("\"end\""));
    assert!(all.lines().filter(|line| line.contains("\"entry\":")).count() > 40_000);
    world.close().await;
}
