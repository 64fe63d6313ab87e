//! Whoever calls a server: somebody with a token, or nobody; and what they are answered.

use std::time::Duration;

use reqwest::{
    Client, Method, RequestBuilder,
    header::{HeaderMap, HeaderName},
    redirect::Policy,
};
use serde_json::Value;
use uuid::Uuid;

use super::logs;

/// Somebody at a server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Actor {
    client: Client,
    base: String,
    token: Option<String>,
    agent: String,
}

/// A request that is not sent yet.
pub struct Draft {
    what: String,
    request: RequestBuilder,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or `null` when it is not JSON.
    pub json: Value,
    /// The body.
    pub text: String,
    /// What was asked, for messages.
    pub what: String,
}

impl Actor {
    /// Nobody in particular, at the server with this address (`http://127.0.0.1:1234`).
    pub fn at(base: &str) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the tests' one client; it talks to servers of this run")]
        let client = Client::builder();
        let client = client.timeout(Duration::from_secs(60)).redirect(Policy::none()).no_proxy();
        // It speaks no TLS, and reading the system's certificates takes longer than a call.
        let client = client.tls_certs_only([]).build().unwrap();
        Self { client, base: base.to_owned(), token: None, agent: "freehold-it/1".to_owned() }
    }

    /// The bearer of this access token, at the same server.
    pub fn bearing(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same, with another `User-Agent`.
    pub fn using(&self, agent: &str) -> Self {
        Self { agent: agent.to_owned(), ..self.clone() }
    }

    /// The same person at the server of another.
    pub fn at_server_of(&self, other: &Self) -> Self {
        Self { client: other.client.clone(), base: other.base.clone(), ..self.clone() }
    }

    /// Where its server listens, as `127.0.0.1:1234`.
    pub fn server(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Whether there is no token.
    pub fn is_nobody(&self) -> bool {
        self.token.is_none()
    }

    /// The access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("nobody has no token")
    }

    /// Begins a request.
    pub fn request(&self, method: Method, path: &str) -> Draft {
        let what = format!("{method} {path}");
        let request = self.client.request(method, format!("{}{path}", self.base)).header("user-agent", &self.agent);
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        Draft { what, request }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// POST of a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path).json(&body).send().await
    }

    /// POST without a body.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.request(Method::POST, path).send().await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.request(Method::PUT, path).json(&body).send().await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.request(Method::PATCH, path).json(&body).send().await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send().await
    }
}

impl Draft {
    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With any body.
    pub fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let request = self.request.header("content-type", media_type).body(body.into());
        Self { request, ..self }
    }

    /// With one more header.
    pub fn header(self, name: &str, value: &str) -> Self {
        let request = self.request.header(name, value);
        Self { request, ..self }
    }

    /// Sends it.
    pub async fn send(self) -> Answer {
        let what = self.what.clone();
        self.try_send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"))
    }

    /// Sends it, and gives the answer before its body has come.
    pub async fn begin(self) -> reqwest::Response {
        self.request.send().await.unwrap()
    }

    /// Sends it to a server that may be gone.
    ///
    /// # Errors
    /// When there was no answer.
    pub async fn try_send(self) -> reqwest::Result<Answer> {
        let answer = self.answered().await?;
        assert_ne!(answer.status, 500, "no request ever gets this: {answer}");
        Ok(answer)
    }

    /// Sends it to a server under which something was broken on purpose, so that a 500 is right.
    pub async fn send_to_the_broken(self) -> Answer {
        let what = self.what.clone();
        self.answered().await.unwrap_or_else(|error| panic!("{what}: {error:?}"))
    }

    async fn answered(self) -> reqwest::Result<Answer> {
        if logs::wanted()
            && let Some(request) = self.request.try_clone().and_then(|request| request.build().ok())
        {
            logs::note_request(&request);
        }
        let response = self.request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        logs::note_in(&json);
        for cookie in headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()) {
            cookie.split(['=', ';']).nth(1).into_iter().for_each(logs::note);
        }
        Ok(Answer { status, headers, json, text, what: self.what })
    }
}

impl Answer {
    /// Insists on a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Insists on a problem document with this code (RFC 9457).
    #[track_caller]
    pub fn problem(self, code: &str) -> Self {
        assert_eq!(self.problem_code(), Ok(code), "{self}");
        self
    }

    /// The code of a problem document, or what is wrong with the document.
    pub fn problem_code(&self) -> Result<&str, String> {
        let media_type = self.header("content-type");
        if media_type != "application/problem+json" {
            return Err(format!("is no problem document but {media_type:?}"));
        }
        let code = self.json["code"].as_str().ok_or("has no code")?;
        if self.json["status"] != self.status || self.json["title"].as_str().is_none() {
            return Err("has another status in the document, or no title".to_owned());
        }
        if self.json["type"] != format!("https://freehold.dev/problems/{code}") {
            return Err(format!("has the type {}", self.json["type"]));
        }
        match self.json["request_id"] == self.header("x-request-id") {
            true => Ok(code),
            false => Err("has another request id in the document than in the header".to_owned()),
        }
    }

    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let value = HeaderName::try_from(name).ok().and_then(|name| self.headers.get(name));
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The text at a JSON pointer.
    #[track_caller]
    pub fn text_at(&self, pointer: &str) -> &str {
        self.json.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer}: {self}"))
    }

    /// The id at a JSON pointer.
    #[track_caller]
    pub fn id_at(&self, pointer: &str) -> Uuid {
        self.text_at(pointer).parse().unwrap_or_else(|_| panic!("no id at {pointer}: {self}"))
    }

    /// The `items` of a list.
    #[track_caller]
    pub fn items(&self) -> &[Value] {
        self.json["items"].as_array().unwrap_or_else(|| panic!("no items: {self}"))
    }

    /// The pointers and parameters that a 422 finds fault with.
    pub fn faults(&self) -> Vec<&str> {
        let faults = self.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        faults.iter().filter_map(|fault| fault["pointer"].as_str().or(fault["parameter"].as_str())).collect()
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was answered {}: {}", self.what, self.status, self.text)
    }
}
