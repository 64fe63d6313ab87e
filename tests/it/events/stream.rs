//! A client of the live stream.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderName},
};
use uuid::Uuid;

use crate::harness::{Actor, PATIENCE, eventually};

/// An open stream.
pub struct Stream {
    socket: WebSocketStream<TcpStream>,
    /// The last cursor.
    pub cursor: String,
}

/// What comes from the server.
#[derive(Debug)]
pub enum Said {
    /// A message.
    Message(Value),
    /// The last frame, with its code; 1006 when there was none.
    Closed(u16),
}

/// A handshake that was answered otherwise than by a stream.
#[derive(Debug)]
pub struct Refused {
    /// The status.
    pub status: u16,
    /// The code of the problem document.
    pub code: String,
    /// The `Retry-After`, or nothing.
    pub retry_after: String,
}

/// Shakes hands at an actor's server, with these headers beside its token.
pub async fn shake(
    actor: &Actor,
    query: &str,
    headers: &[(&str, &str)],
) -> Result<WebSocketStream<TcpStream>, Refused> {
    let tcp = TcpStream::connect(actor.server()).await.unwrap();
    shake_over(tcp, actor, query, headers).await
}

/// The same over this connection.
pub async fn shake_over(
    tcp: TcpStream,
    actor: &Actor,
    query: &str,
    headers: &[(&str, &str)],
) -> Result<WebSocketStream<TcpStream>, Refused> {
    let mut request = format!("ws://{}/v1/events{query}", actor.server()).into_client_request().unwrap();
    let bearer = (!actor.is_nobody()).then(|| format!("Bearer {}", actor.token()));
    let own = bearer.iter().map(|value| ("authorization", value.as_str()));
    for (name, value) in own.chain(headers.iter().copied()) {
        request.headers_mut().append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    match client_async(request, tcp).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => {
            let document: Value =
                serde_json::from_slice(answer.body().as_deref().unwrap_or_default()).unwrap_or_default();
            let code = document["code"].as_str().unwrap_or_default().to_owned();
            let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
            let retry_after = retry_after.unwrap_or_default().to_owned();
            Err(Refused { status: answer.status().as_u16(), code, retry_after })
        }
        Err(error) => panic!("{error}"),
    }
}

impl Stream {
    /// Opens one and reads its beginning.
    pub async fn open(actor: &Actor) -> Self {
        let (stream, entries) = Self::open_after(actor, None).await;
        assert!(entries.is_empty(), "{entries:?}");
        stream
    }

    /// The same, going on from a cursor: with what came in between.
    pub async fn open_after(actor: &Actor, after: Option<&str>) -> (Self, Vec<Value>) {
        let query = after.map(|after| format!("?after={after}")).unwrap_or_default();
        let socket = shake(actor, &query, &[]).await.unwrap_or_else(|refused| panic!("{refused:?}"));
        Self::begun(socket).await
    }

    /// Reads the beginning of a stream that was shaken hands for.
    pub async fn begun(socket: WebSocketStream<TcpStream>) -> (Self, Vec<Value>) {
        let mut stream = Self { socket, cursor: String::new() };
        let hello = stream.message().await;
        assert_eq!(hello["type"], "hello", "{hello}");
        assert!(hello["organization_id"].as_str().unwrap().parse::<Uuid>().is_ok());
        let mut entries = Vec::new();
        while stream.cursor.is_empty() {
            let message = stream.message().await;
            match message["type"].as_str().unwrap() {
                "entries" => entries.extend(message["items"].as_array().unwrap().clone()),
                "still" => {}
                "gap" => entries.push(Value::Null),
                other => panic!("{other}"),
            }
        }
        (stream, entries)
    }

    /// What comes next.
    pub async fn next(&mut self) -> Said {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await.expect("nothing comes any more");
            return match next {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(text.as_str()).unwrap();
                    if let Some(cursor) = message["cursor"].as_str() {
                        cursor.clone_into(&mut self.cursor);
                    }
                    Said::Message(message)
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    // Says goodbye, as it should.
                    let _ = timeout(PATIENCE, self.socket.next()).await;
                    Said::Closed(frame.code.into())
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(other)) => panic!("{other:?}"),
                None | Some(Err(_)) => Said::Closed(1006),
            };
        }
    }

    /// The next message; there has to be one.
    pub async fn message(&mut self) -> Value {
        match self.next().await {
            Said::Message(message) => message,
            closed @ Said::Closed(_) => panic!("{closed:?}"),
        }
    }

    /// The next entries, whatever else comes before.
    pub async fn entries(&mut self) -> Vec<Value> {
        loop {
            let message = self.message().await;
            match message["type"].as_str().unwrap() {
                "entries" => return message["items"].as_array().unwrap().clone(),
                "still" => {}
                other => panic!("{other}"),
            }
        }
    }

    /// Reads entries until there are so many, and then for a while longer, because none may come twice.
    pub async fn collect(&mut self, count: usize) -> Vec<Value> {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend(self.entries().await);
        }
        while let Ok(more) = timeout(Duration::from_millis(1500), self.entries()).await {
            all.extend(more);
        }
        all
    }

    /// Reads until the server closes, and says with which code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Said::Closed(code) = self.next().await {
                return code;
            }
        }
    }

    /// Says something.
    pub async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Sends a pong that nobody asked for (RFC 6455, 5.5.3).
    pub async fn pong(&mut self) {
        self.socket.send(Message::Pong(Vec::new().into())).await.unwrap();
    }

    /// Leaves, as a client should.
    pub async fn leave(mut self) {
        self.socket.close(None).await.unwrap();
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

/// What an instance says of its streams: how many are open, or have been closed for a reason.
pub async fn count(administrator: &Actor, what: &str) -> u64 {
    let streams = administrator.get("/v1/limits").await.expect(200).json["event_streams"].clone();
    if what == "open" {
        return streams["open"].as_u64().unwrap();
    }
    let closed = streams["closed"].as_array().unwrap().iter().find(|closed| closed["reason"] == what);
    closed.unwrap_or_else(|| panic!("{what} is no reason: {streams}"))["count"].as_u64().unwrap()
}

/// Waits until an instance counts so many.
pub async fn counted(administrator: &Actor, what: &str, expected: u64) {
    eventually(what, PATIENCE, async || (count(administrator, what).await == expected).then_some(())).await;
}
