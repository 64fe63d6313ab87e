//! Lists of people: pages that show everybody once, and a search that takes its text as it is.

use std::collections::BTreeSet;

use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{Answer, Login, insert_people},
    world::{CANARY, Tenant, World},
};

/// Adds members behind the server's back: a hundred people who accept would take their time.
async fn populate(world: &World, tenant: &Tenant, number: usize) {
    let mut psql = world.database.psql(Login::Owner).await;
    let people = (1..=number).map(|n| (format!("crowd{n}@example.com"), format!("Crowd {n}")));
    let ids = insert_people(&world.server.app().vault, &mut psql, people).await;
    let places =
        ids.iter().map(|id| format!("(gen_random_uuid(), '{}', '{id}', 'member', 'active', now(), now())", tenant.id));
    let places: Vec<_> = places.collect();
    let insert =
        "INSERT INTO memberships (id, organization_id, account_id, role, status, joined_at, updated_at) VALUES";
    psql.run(&format!("{insert} {}", places.join(", "))).await.unwrap();
}

/// The path of a `Link` header (RFC 8288).
fn next_link(answer: &Answer) -> Option<String> {
    let link = answer.header("link");
    (!link.is_empty()).then(|| {
        let path = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
        path.unwrap_or_else(|| panic!("odd link {link}")).to_owned()
    })
}

/// Proves API-2.
#[tokio::test]
async fn pages_show_everybody_once() {
    let world = World::open().await;
    let a = &world.a;
    populate(&world, a, 120).await;
    let members = format!("/v1/organizations/{}/members", a.id);
    let mut psql = world.database.psql(Login::Owner).await;
    let all = psql.number(&format!("SELECT count(*) FROM memberships WHERE organization_id = '{}'", a.id)).await;
    for limit in [7, 50, 128, 200] {
        let (mut seen, mut pages) = (Vec::new(), 0);
        let mut next = Some(format!("{members}?limit={limit}"));
        while let Some(path) = next {
            let page = a.manager.get(&path).await.expect(200);
            assert!(page.items().len() <= limit, "{}", page.items().len());
            seen.extend(page.items().iter().map(|item| item["id"].as_str().unwrap().parse::<Uuid>().unwrap()));
            next = next_link(&page);
            let cursor = page.json["next_cursor"].as_str();
            assert_eq!(next, cursor.map(|cursor| format!("{members}?limit={limit}&cursor={cursor}")));
            pages += 1;
        }
        assert!(seen.is_sorted_by(|one, next| one > next), "not newest first");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len() as i64, all, "with {limit} a page");
        assert_eq!(pages, seen.len().div_ceil(limit), "with {limit} a page");
    }
    // Filters go along.
    let crowd = a.manager.get(&format!("{members}?search=crowd&role=member&limit=100")).await.expect(200);
    let rest = a.manager.get(&next_link(&crowd).unwrap()).await.expect(200);
    assert_eq!((crowd.items().len(), rest.items().len(), next_link(&rest)), (100, 20, None));
    for (wrong, parameter) in [("limit=0", "limit"), ("limit=201", "limit"), ("cursor=x", "cursor")] {
        let answer = a.manager.get(&format!("{members}?{wrong}")).await.expect(422).problem("invalid_request");
        assert_eq!(answer.faults(), [parameter], "{answer}");
    }
    world.close().await;
}

/// A cursor is a place in a list, not a key to it.
#[tokio::test]
async fn a_cursor_of_one_organisation_shows_nothing_of_it_in_another() {
    let world = World::open().await;
    let list = |tenant: &Tenant| format!("/v1/organizations/{}/members?limit=1", tenant.id);
    let page = world.a.manager.get(&list(&world.a)).await.expect(200);
    let cursor = page.text_at("/next_cursor");
    let answer = world.b.manager.get(&format!("{}&cursor={cursor}", list(&world.b))).await.expect(200);
    assert!(!answer.text.contains(CANARY), "{answer}");
    world.close().await;
}

/// However many people there are elsewhere.
#[tokio::test]
async fn a_search_reads_the_accounts_of_members_only() {
    let world = World::open().await;
    let a = &world.a;
    populate(&world, a, 3000).await;
    let mut psql = world.database.psql(Login::Owner).await;
    let strangers = (0..20_000).map(|n| (format!("stranger{n}@example.com"), format!("Stranger {n}")));
    insert_people(&world.server.app().vault, &mut psql, strangers).await;
    psql.run("ANALYZE accounts; ANALYZE memberships; ANALYZE account_matches").await.unwrap();
    // The counters lag behind by a second at most, and only while somebody is busy.
    let scans = "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint FROM pg_stat_user_tables
                 WHERE relname IN ('accounts', 'account_matches')";
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let before = psql.number(scans).await;
    for text in ["crowd", "Crowd%201", "nobody-of-that-name"] {
        a.manager.get(&format!("/v1/organizations/{}/members?search={text}", a.id)).await.expect(200);
    }
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    a.manager.get(&format!("/v1/organizations/{}/members?limit=1", a.id)).await.expect(200);
    let read = psql.number(scans).await - before;
    // Whoever has the word, a word at a time, and the people of the pages; nothing of the strangers.
    assert!(read < 10_000, "{read} rows of accounts were read");
    world.close().await;
}

#[tokio::test]
async fn a_search_finds_whole_words_of_name_and_address() {
    let world = World::open().await;
    let a = &world.a;
    for (person, name) in [(&a.member, "50% Ökö_Ö\\x"), (&a.subject, "50x Ökölö"), (&a.auditor, "O'Hara; --")] {
        person.patch("/v1/me", json!({"name": name})).await.expect(200);
    }
    let found = async |text: &str| {
        let list = format!("/v1/organizations/{}/members", a.id);
        let address = reqwest::Url::parse_with_params("http://x", [("search", text)]).unwrap();
        let answer = a.manager.get(&format!("{list}?{}", address.query().unwrap())).await.expect(200);
        let mut found: Vec<_> = answer.items().iter().map(|item| item["email"].as_str().unwrap().to_owned()).collect();
        found.sort_unstable();
        found
    };
    let (member, subject, auditor) = (a.member.email.as_str(), a.subject.email.as_str(), a.auditor.email.as_str());
    assert_eq!(found("50%").await, [member]);
    assert_eq!(found("ö_Ökö").await, [member]);
    assert_eq!(found("\\x").await, [member]);
    assert_eq!(found("50x").await, [subject]);
    assert_eq!(found("O\u{308}KO\u{308}LO\u{308}").await, [subject]);
    assert_eq!(found("o'hara; --").await, [auditor]);
    // All words, and whole ones.
    assert_eq!(found("hara O").await, [auditor]);
    for none in ["%", "_", "har", "o'hara ökölö", "ÖK"] {
        assert!(found(none).await.is_empty(), "{none}");
    }
    let list = format!("/v1/organizations/{}/members", a.id);
    let answer =
        a.manager.get(&format!("{list}?search=a+b+c+d+e+f+g+h+i")).await.expect(422).problem("invalid_request");
    assert_eq!(answer.faults(), ["search"]);
    // Addresses are searched too, in any case.
    assert_eq!(found(&member.to_uppercase()).await, [member]);
    assert!(found("nobody of that name").await.is_empty());
    // A word that very many have elsewhere is looked for in another way, alone and beside one that few have.
    let mut psql = world.database.psql(Login::Owner).await;
    let alike = (0..5_001).map(|n| (format!("alike{n}@example.org"), "Hara".to_owned()));
    insert_people(&world.server.app().vault, &mut psql, alike).await;
    assert_eq!(found("hara").await, [auditor]);
    assert_eq!(found("hara O").await, [auditor]);
    assert!(found("hara 50x").await.is_empty());
    assert!(found("alike7").await.is_empty(), "somebody who is no member");
    world.close().await;
}
