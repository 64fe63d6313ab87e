//! The outermost layer: what is true of every request before anybody is recognised, and of every answer after.
//!
//! It makes the request's origin (id, client address, moment) and trace, refuses plain HTTP where https is required,
//! catches panics, finishes problem documents, puts the security headers on, and writes the one log line of a
//! request. It never looks at who calls or what is asked; it logs no path, query, header or body.

mod forwarded;
pub mod host;
mod trace;

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::Instant,
};

use futures_util::FutureExt;
use ipnet::IpNet;
use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, uri},
};
use tracing::Instrument;
use uuid::Uuid;

pub use self::trace::TraceContext;
use super::{
    headers,
    limits::Tally,
    problem::{self, ErrorStats},
    proxies::UnknownProxies,
};
use crate::{
    config::ForwardedHeader,
    error::{Code, Error},
    runtime::{Clock, Ids},
    types::Origin,
};

/// The header of the request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id that is taken over from a proxy, in characters.
const LONGEST_REQUEST_ID: usize = 128;

/// How much of a `User-Agent` is kept, in characters.
const LONGEST_USER_AGENT: usize = 256;

/// How the client reached us, or the outermost trusted proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

/// What the outermost layer needs to know.
#[derive(Clone, Debug)]
pub struct ContextSettings {
    /// The networks whose forwarded headers count.
    pub trusted_proxies: Vec<IpNet>,
    /// Which of the two kinds counts.
    pub forwarded_header: ForwardedHeader,
    /// Whether plain HTTP is refused: the `production` profile.
    pub require_https: bool,
    /// The address that people use, without a slash at the end: where plain HTTP is sent on to.
    pub public_url: String,
    /// The clock.
    pub clock: Clock,
    /// The counters of problem documents.
    pub stats: Arc<ErrorStats>,
    /// Where proxies that are not trusted are remembered.
    pub proxies: Arc<UnknownProxies>,
}

/// Which operation or route a request turned out to be for: the one name of it that may be logged.
///
/// It is in the request's data; the guard fills it in.
#[derive(Clone, Debug, Default)]
pub struct Matched(Arc<OnceLock<&'static str>>);

impl Matched {
    /// Names the operation of a request. The first name stays.
    pub fn name(request: &Request, operation: &'static str) {
        if let Some(matched) = request.data::<Self>() {
            // A second name is a nested route's; the first, outer one is kept.
            let _ = matched.0.set(operation);
        }
    }

    fn get(&self) -> &'static str {
        self.0.get().copied().unwrap_or("-")
    }
}

/// An endpoint inside the outermost layer. It never fails: every error is an answer.
pub struct Context<E> {
    inner: E,
    settings: ContextSettings,
}

/// Wraps everything that is served.
pub fn wrap<E: Endpoint>(endpoint: E, settings: ContextSettings) -> Context<E> {
    Context { inner: endpoint, settings }
}

/// What the layer found out about one request.
struct Arrival {
    origin: Origin,
    scheme: Scheme,
    trace: TraceContext,
    matched: Matched,
    tally: Tally,
}

impl<E: Endpoint> Endpoint for Context<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let arrival = self.arrival(&request);
        let method = loggable(request.method());
        // The span is at the highest level so that no log level takes the request's id away from an error.
        let span = tracing::error_span!(
            "request",
            request_id = %arrival.origin.request_id,
            trace_id = %arrival.trace.trace_id,
        );
        request.set_data(arrival.origin.clone());
        request.set_data(arrival.scheme);
        request.set_data(arrival.trace.clone());
        request.set_data(arrival.matched.clone());
        request.set_data(arrival.tally.clone());
        let response = async {
            let refusal = misaddressed(&request).or_else(|| self.insecure(&request, arrival.scheme));
            let response = match refusal {
                Some(refusal) => refusal,
                None => self.guarded_call(request).await,
            };
            let response = problem::finish(response, &arrival.origin.request_id, &self.settings.stats).await;
            log(method, &arrival, response.status(), started);
            response
        }
        .instrument(span)
        .await;
        Ok(dress(response, &arrival))
    }
}

impl<E: Endpoint> Context<E> {
    fn arrival(&self, request: &Request) -> Arrival {
        let request_headers = request.headers();
        let peer = request.remote_addr().as_socket_addr().map(|peer| peer.ip().to_canonical());
        let proxy = peer.filter(|peer| forwarded::is_trusted(*peer, &self.settings.trusted_proxies));
        if proxy.is_none() && forwarded::is_claimed(request_headers) {
            self.settings.proxies.note(peer, self.settings.clock.now());
        }
        let client = proxy.map(|proxy| {
            let settings = &self.settings;
            forwarded::client(request_headers, settings.forwarded_header, proxy, &settings.trusted_proxies)
        });
        let own_scheme = if *request.scheme() == uri::Scheme::HTTPS { Scheme::Https } else { Scheme::Http };
        let given_id = proxy.and_then(|_| request_id(request_headers));
        let origin = Origin {
            request_id: given_id.unwrap_or_else(|| Ids.next::<Uuid>().to_string().into()),
            address: client.map(|client| client.address).or(peer),
            user_agent: user_agent(request_headers),
            now: self.settings.clock.now(),
        };
        Arrival {
            origin,
            scheme: client.and_then(|client| client.scheme).unwrap_or(own_scheme),
            trace: TraceContext::continue_from(request.header(trace::TRACEPARENT), Ids),
            matched: Matched::default(),
            tally: Tally::default(),
        }
    }

    /// The answer to a request that came over plain HTTP where that is not served (NET-1). Load balancers probe
    /// health over plain HTTP, and it tells nothing worth hiding.
    fn insecure(&self, request: &Request, scheme: Scheme) -> Option<Response> {
        let path = request.uri().path();
        let is_health = path == "/health" || path.starts_with("/health/");
        if !self.settings.require_https || scheme == Scheme::Https || is_health {
            return None;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Some(problem::answer(Error::Forbidden(Code::HttpsRequired)));
        }
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let location = HeaderValue::try_from(format!("{}{target}", self.settings.public_url));
        Some(match location {
            Ok(location) => {
                let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
                response.headers_mut().insert(header::LOCATION, location);
                response
            }
            Err(_) => problem::answer(Error::Forbidden(Code::HttpsRequired)),
        })
    }

    /// Calls the endpoint; an error and a panic are answers too. The panic hook has logged the panic.
    async fn guarded_call(&self, request: Request) -> Response {
        match AssertUnwindSafe(self.inner.call(request)).catch_unwind().await {
            Ok(Ok(output)) => output.into_response(),
            Ok(Err(error)) => problem::render(error).await,
            Err(_) => problem::of_panic(),
        }
    }
}

/// The answer to a request that does not say which host it is for, or says it twice.
fn misaddressed(request: &Request) -> Option<Response> {
    let fault = || Error::Malformed("the request must have one Host header with a host and perhaps a port".to_owned());
    (!host::is_named(request)).then(|| problem::answer(fault()))
}

/// Puts on what every answer carries.
fn dress(mut response: Response, arrival: &Arrival) -> Response {
    let answer_headers = response.headers_mut();
    headers::apply(answer_headers, arrival.scheme);
    arrival.tally.write(answer_headers);
    let identity = [(REQUEST_ID, arrival.origin.request_id.to_string()), (trace::TRACEPARENT, arrival.trace.header())];
    for (name, value) in identity {
        if let Ok(value) = HeaderValue::try_from(value) {
            answer_headers.insert(name, value);
        }
    }
    response
}

fn log(method: &'static str, arrival: &Arrival, status: StatusCode, started: Instant) {
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (route, status) = (arrival.matched.get(), status.as_u16());
    if status >= 500 {
        tracing::warn!(method, route, status, duration_ms, "request failed");
    } else {
        tracing::info!(method, route, status, duration_ms, "request");
    }
}

/// A method's name for the log: one of the known ones, since a client may invent others.
fn loggable(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// The id that a trusted proxy gave the request, if it is one that can be logged and sent on as it is.
fn request_id(headers: &HeaderMap) -> Option<Arc<str>> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    ((1..=LONGEST_REQUEST_ID).contains(&id.len()) && id.bytes().all(plain)).then(|| id.into())
}

/// The client's name for itself, cut and cleaned; bytes that are no text are replaced.
fn user_agent(headers: &HeaderMap) -> Option<Arc<str>> {
    let text = String::from_utf8_lossy(headers.get(header::USER_AGENT)?.as_bytes());
    let clean: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_USER_AGENT).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.into())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use poem::{RequestBuilder, endpoint::make, web::RemoteAddr};
    use serde_json::Value;

    use super::*;

    fn settings(require_https: bool) -> ContextSettings {
        let clock = Clock::default();
        ContextSettings {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            forwarded_header: ForwardedHeader::XForwarded,
            require_https,
            public_url: "https://id.example.com".to_owned(),
            stats: Arc::new(ErrorStats::new(clock.now())),
            proxies: Arc::default(),
            clock,
        }
    }

    /// A request from a peer, as the accept loop makes it.
    fn request(peer: &str, builder: RequestBuilder) -> Request {
        let (parts, body) = builder.finish().into_parts();
        let mut http = poem::http::Request::new(());
        *http.method_mut() = parts.method;
        *http.uri_mut() = parts.uri;
        *http.headers_mut() = parts.headers;
        let peer: SocketAddr = format!("{peer}:4711").parse().unwrap();
        let remote = RemoteAddr(peer.into());
        let parts = (http.into_parts().0, Default::default(), remote, uri::Scheme::HTTP).into();
        Request::from_parts(parts, body)
    }

    async fn echo(request: Request) -> poem::Result<String> {
        let origin = request.data::<Origin>().unwrap();
        Matched::name(&request, "echo");
        match request.uri().path() {
            "/panic" => panic!("on purpose"),
            "/missing" => Err(poem::error::NotFoundError.into()),
            _ => Ok(format!("{} {:?}", origin.address.unwrap(), request.data::<Scheme>().unwrap())),
        }
    }

    async fn call(https: bool, request: Request) -> (Response, String) {
        let mut response = wrap(make(echo), settings(https)).get_response(request).await;
        let body = response.take_body().into_string().await.unwrap();
        (response, body)
    }

    fn get(path: &str) -> RequestBuilder {
        Request::builder().uri_str(format!("http://localhost{path}")).header("host", "localhost")
    }

    /// Proves NET-8.
    #[tokio::test]
    async fn a_request_id_is_kept_from_a_trusted_proxy_only() {
        let (response, body) = call(
            false,
            request("10.1.1.1", get("/").header("x-request-id", "abc-1").header("x-forwarded-for", "203.0.113.9")),
        )
        .await;
        assert_eq!(response.header("x-request-id"), Some("abc-1"));
        assert_eq!(body, "203.0.113.9 Http");
        let (response, body) = call(
            false,
            request("192.0.2.1", get("/").header("x-request-id", "abc-1").header("x-forwarded-for", "203.0.113.9")),
        )
        .await;
        assert_ne!(response.header("x-request-id"), Some("abc-1"));
        assert_eq!(body, "192.0.2.1 Http");
        let (response, _) = call(false, request("10.1.1.1", get("/").header("x-request-id", "a b"))).await;
        assert_ne!(response.header("x-request-id"), Some("a b"));
        assert_eq!(response.header("traceparent").unwrap().len(), 55);
    }

    /// Proves NET-10.
    #[tokio::test]
    async fn errors_and_panics_are_documents_with_the_request_id() {
        for (path, status, code) in [("/missing", 404, "not_found"), ("/panic", 500, "internal")] {
            let (response, body) = call(false, request("192.0.2.1", get(path))).await;
            assert_eq!(response.status(), status);
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["code"], code);
            assert_eq!(body["request_id"].as_str(), response.header("x-request-id"));
        }
    }

    /// Proves NET-1.
    #[tokio::test]
    async fn plain_http_is_sent_on_or_refused() {
        let (response, _) = call(true, request("192.0.2.1", get("//evil.example/a?b=c"))).await;
        assert_eq!(response.status(), 308);
        assert_eq!(response.header("location"), Some("https://id.example.com//evil.example/a?b=c"));
        let (response, body) = call(true, request("192.0.2.1", get("/a").method(Method::POST))).await;
        assert_eq!(response.status(), 403);
        assert!(body.contains("https_required"));
        let spoofed = get("/a").method(Method::POST).header("x-forwarded-proto", "https");
        assert_eq!(call(true, request("192.0.2.1", spoofed)).await.0.status(), 403);
        assert_eq!(call(true, request("192.0.2.1", get("/health/live"))).await.0.status(), 200);
        let (response, _) = call(true, request("10.1.1.1", get("/a").header("x-forwarded-proto", "https"))).await;
        assert_eq!(response.status(), 200);
        assert!(response.header("strict-transport-security").is_some());
    }

    #[test]
    fn a_user_agent_is_cut_and_cleaned() {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_bytes(&[b'a', 0x9f, b'\t', b'b']).unwrap());
        assert_eq!(user_agent(&headers).as_deref(), Some("a\u{fffd}b"));
        headers.insert(header::USER_AGENT, HeaderValue::from_str(&"x".repeat(999)).unwrap());
        assert_eq!(user_agent(&headers).unwrap().len(), LONGEST_USER_AGENT);
    }
}
