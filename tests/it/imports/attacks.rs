//! What an attacker, or a program in a bad mood, puts into a file.

use serde_json::json;

use super::{import, lines, numbers, upload};
use crate::{path::PLATFORM, world::World};

/// Proves AUT-9, NET-9.
#[tokio::test]
async fn no_line_however_odd_takes_another_with_it() {
    let world = World::open().await;
    let platform = &world.platform;
    let mut file = b"\xef\xbb\xbfemail;name\r\n".to_vec();
    let long = "x".repeat(1_000_000);
    let wide = ";".repeat(20_000);
    let odd: [&[u8]; 10] = [
        b"one@odd.example;One\r\n",
        long.as_bytes(),
        b"\ntwo@odd.example;\"Two\n",
        b"three@odd.example;Thr\xffee\n",
        b"four@odd.example;Fo\0ur\n",
        wide.as_bytes(),
        b"\nfive@odd.example;=HYPERLINK(\"\"http://evil.example\"\")\n",
        "zo\u{eb}@b\u{fc}cher.example;Zo\u{eb}\nzoe\u{308}@xn--bcher-kva.example;Zoe\u{308}\n".as_bytes(),
        b"\xff\xfe\n\n\"\n",
        b"six@odd.example;Six",
    ];
    odd.iter().for_each(|bytes| file.extend_from_slice(bytes));
    let done = import(platform, PLATFORM, "csv", &file).await;
    assert_eq!(done["state"], "finished", "{done}");
    let expected = [
        "2 made - -",
        "3 refused line_too_long -",
        "4 refused unbalanced_quotes -",
        "5 refused not_utf8 -",
        "6 refused control_character -",
        "7 refused line_too_long -",
        "8 made - -",
        "9 made - -",
        // One address in two spellings.
        "10 skipped duplicate email",
        "11 refused not_utf8 -",
        "13 refused unbalanced_quotes -",
        "14 made - -",
    ];
    assert_eq!(lines(platform, &done).await, expected);
    // What looks like a formula is a name, and leaves as text.
    let found = platform.get("/v1/accounts?email=five@odd.example").await.expect(200);
    let name = found.json["items"][0]["name"].as_str().unwrap().to_owned();
    assert!(name.starts_with("=HYPERLINK"), "{name}");
    let file = platform.post("/v1/accounts/export", json!({"format": "csv"})).await.expect(200);
    assert!(file.text.contains("'=HYPERLINK") && !file.text.contains(",=HYPERLINK"), "{}", file.text);
    world.close().await;
}

/// Proves AUT-9, NET-9.
#[tokio::test]
async fn a_file_that_is_none_is_refused_as_a_whole_with_its_reason() {
    let world = World::open().await;
    let platform = &world.platform;
    let wide = format!("email{}\none@odd.example\n", ",id".repeat(1_000_000));
    for (file, failure) in [
        (&b"\xff\xfee\0m\0a\0i\0l\0\n\0"[..], "header_unreadable"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "header_unreadable"),
        (b"name\nAda\n", "no_email_column"),
        (b"email,shoe_size\none@odd.example,42\n", "unknown_column"),
        (b"email,email\n", "doubled_column"),
        (b"\n\n", "unknown_column"),
        (wide.as_bytes(), "header_unreadable"),
    ] {
        let done = import(platform, PLATFORM, "csv", file).await;
        assert_eq!((&done["state"], &done["failure"]), (&json!("failed"), &json!(failure)), "{done}");
        assert_eq!(numbers(&done), [0, 0, 0]);
    }
    // A file of one kind taken for the other makes nobody.
    let done = import(platform, PLATFORM, "json_lines", "email\none@odd.example\n").await;
    assert_eq!((done["state"].as_str(), numbers(&done)), (Some("finished"), [0, 0, 2]), "{done}");
    // Nothing at all is no file.
    upload(platform, PLATFORM, "csv", "").await.expect(422);
    world.close().await;
}

/// Proves AUT-1, AUT-9.
#[tokio::test]
async fn a_hash_that_would_keep_the_server_busy_is_not_taken() {
    let world = World::open().await;
    let digest = "E73ts0xb2Rnh10Ph1Oqs8eqhVjla1Q05PgSNyAHaig/LXnW9cXFcy";
    let file = format!(
        "{{\"email\": \"a@odd.example\", \"password_hash\": \"$2b$31${digest}\"}}\n\
         {{\"email\": \"b@odd.example\", \"password_hash\": \"$argon2id$v=19$m=4194304,t=100,p=1$4GDOk6HFR6A0WTVjUiIm5A$gGzYTokhHX2DsN35/1062Uv8kxj2yHVINxrFlRx9rzo\"}}\n\
         {{\"email\": \"c@odd.example\", \"password_hash\": \"5f4dcc3b5aa765d61d8327deb882cf99\"}}\n\
         {{\"email\": \"d@odd.example\", \"password_hash\": \"\"}}\n"
    );
    let done = import(&world.platform, PLATFORM, "json_lines", file).await;
    let expected = [
        "1 refused hash_too_costly password_hash",
        "2 refused hash_too_costly password_hash",
        "3 refused unknown_hash password_hash",
        "4 refused unknown_hash password_hash",
    ];
    assert_eq!(lines(&world.platform, &done).await, expected);
    world.close().await;
}
