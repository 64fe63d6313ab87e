//! Clients that misbehave, and a server that stops.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use super::{
    path,
    stream::{Stream, count, counted, shake_over},
    told::{insert, line},
};
use crate::{
    harness::{Actor, Login},
    world::World,
};

/// Proves NET-12.
#[tokio::test]
async fn who_says_something_or_too_much_is_cut_off() {
    let world = World::open().await;
    let mut stream = Stream::open(&world.a.owner).await;
    stream.say("hello").await;
    assert_eq!(stream.closed().await, 1003);
    let mut stream = Stream::open(&world.a.owner).await;
    stream.say(&"x".repeat(1025)).await;
    assert_eq!(stream.closed().await, 1009);
    // A frame that announces more than it has is refused by what it announces: nothing of it is waited for.
    let mut raw = raw(&world.a.owner).await;
    let announced = [&[0x82, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
    raw.write_all(&announced).await.unwrap();
    let last = timeout(Duration::from_secs(10), read_to_end(&mut raw)).await.unwrap();
    assert!(last.windows(2).any(|bytes| bytes == 1009_u16.to_be_bytes()), "the last frame has the code");
    // Nor does the server take what is not masked (RFC 6455, 5.1).
    let mut raw = self::raw(&world.a.owner).await;
    raw.write_all(&[0x81, 0x02, b'h', b'i']).await.unwrap();
    timeout(Duration::from_secs(10), read_to_end(&mut raw)).await.unwrap();
    counted(&world.platform, "spoke", 1).await;
    counted(&world.platform, "broken", 3).await;
    counted(&world.platform, "open", 0).await;
    world.close().await;
}

/// A stream of bytes behind a handshake, for who does not keep to the protocol.
async fn raw(actor: &Actor) -> TcpStream {
    let mut tcp = TcpStream::connect(actor.server()).await.unwrap();
    let head = format!(
        "GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        actor.token()
    );
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(tcp.read_u8().await.unwrap());
    }
    let answer = String::from_utf8(answer).unwrap().to_lowercase();
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    assert!(answer.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "RFC 6455, 1.3: {answer}");
    tcp
}

async fn read_to_end(tcp: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = tcp.read_to_end(&mut all).await;
    all
}

/// Proves NET-12.
#[tokio::test]
async fn who_does_not_answer_is_gone_and_who_answers_stays() {
    let world = World::configured(&[("FREEHOLD_EVENTS_PING_INTERVAL", "1s")]).await;
    let mut silent = raw(&world.a.owner).await;
    let mut present = Stream::open(&world.a.admin).await;
    let begun = present.cursor.clone();
    // The one who reads answers, and hears while nothing happens how far the stream has come.
    let reading = tokio::spawn(async move {
        for _ in 0..6 {
            assert_eq!(present.message().await["type"], "still");
        }
        present
    });
    let last = timeout(Duration::from_secs(10), read_to_end(&mut silent)).await.unwrap();
    assert!(last.windows(2).any(|bytes| bytes == 4408_u16.to_be_bytes()));
    let present = reading.await.unwrap();
    assert_ne!(present.cursor, begun);
    assert_eq!((count(&world.platform, "unanswered").await, count(&world.platform, "open").await), (1, 1));
    drop(present);
    world.close().await;
}

/// Proves NET-12.
#[tokio::test]
async fn who_does_not_read_is_dropped_and_nothing_is_kept_for_them() {
    let world = World::open().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let tcp = socket.connect(world.a.owner.server().parse().unwrap()).await.unwrap();
    let slow = shake_over(tcp, &world.a.owner, "", &[]).await.unwrap();
    let mut quick = Stream::open(&world.a.admin).await;
    let mut psql = world.database.psql(Login::Owner).await;
    // Some thirty megabytes: more than the kernel keeps between the two.
    let filler = format!(r#"{{"filler": "{}"}}"#, "x".repeat(32 * 1024));
    let begun = Instant::now();
    let mut added = 0;
    while begun.elapsed() < Duration::from_secs(60) && count(&world.platform, "slow").await == 0 {
        if added < 1000 {
            let rows: Vec<_> = (0..100).map(|_| line(world.a.id, &filler)).collect();
            psql.run(&insert(&rows)).await.unwrap();
            added += 100;
            while quick.entries().await.is_empty() {}
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(count(&world.platform, "slow").await, 1, "after {:?} and {added} entries", begun.elapsed());
    drop(slow);
    // The other one was told all the while, and still is.
    world.a.owner.post(&path(&world.a, "teams"), json!({"name": "Night"})).await.expect(201);
    while !quick.entries().await.iter().any(|entry| entry["event"] == "team.created") {}
    world.close().await;
}

/// Proves NET-12.
#[tokio::test]
async fn a_server_that_stops_says_goodbye_and_waits_for_nobody() {
    let world = World::open().await;
    let mut stream = Stream::open(&world.a.owner).await;
    let _silent = raw(&world.a.owner).await;
    let begun = Instant::now();
    let (code, ()) = tokio::join!(stream.closed(), world.close());
    assert_eq!(code, 1001);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
