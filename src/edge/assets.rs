//! The web console: the files of `console/dist`, embedded into the binary.
//!
//! Every address of the console is one page, `index.html`, whose script does the rest; each answer of it has a nonce
//! of its own for its style elements. Assets with a hash in their name are kept for ever. Without Node the server is
//! built without the console, and says so here instead. It serves files and never asks who is there.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::{
    Endpoint, Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{headers, problem};
use crate::{
    error::{Error, Result},
    runtime::Entropy,
};

/// What stands in `index.html` where the nonce of an answer belongs.
const NONCE: &str = "__CSP_NONCE__";

/// First segments of paths that are never pages of the console; what is missing below them is a 404.
const NOT_PAGES: [&str; 7] = ["v1", "health", ".well-known", "openapi.json", "docs", "dev", "assets"];

/// The files whose names change with their content (vite's output folder).
const HASHED: &str = "assets/";

/// What is served where the console was not built.
const NOT_BUILT: &str = include_str!("assets/not_built.html");

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/console/dist"]
#[allow_missing = true]
struct Files;

/// The endpoint of everything that no operation has a path for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Console;

impl Endpoint for Console {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        find(&request).map_err(problem::refuse)
    }
}

fn find(request: &Request) -> Result<Response> {
    let path = request.uri().path().trim_start_matches('/');
    let is_page = !NOT_PAGES.contains(&path.split('/').next().unwrap_or_default());
    // A development build looks in the folder itself, where a file has many paths; here it has one.
    let is_plain = !path.split('/').any(|part| matches!(part, "" | "." | ".."));
    let file = if is_plain && path != "index.html" { Files::get(path) } else { None };
    if file.is_none() && !(is_page && accepts_html(request.headers())) {
        return Err(Error::not_found());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        // A page of the console is no place to write to: for a program, nothing is there.
        return if file.is_some() { Ok(problem::not_allowed("GET, HEAD")) } else { Err(Error::not_found()) };
    }
    match file {
        Some(file) => Ok(asset(path, file, request.headers())),
        None => page(),
    }
}

/// One file as it is.
fn asset(path: &str, file: EmbeddedFile, request: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash()));
    let caching = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    let answer = Response::builder().header(header::CACHE_CONTROL, caching).header(header::ETAG, &etag);
    if headers::matches_etag(request, &etag) {
        return answer.status(StatusCode::NOT_MODIFIED).finish();
    }
    answer.header(header::CONTENT_TYPE, content_type(path)).body(file.data.into_owned())
}

/// The page, with a nonce that no other answer has.
fn page() -> Result<Response> {
    let nonce = URL_SAFE_NO_PAD.encode(Entropy.bytes::<16>()?);
    let file = Files::get("index.html").map(|file| String::from_utf8_lossy(&file.data).into_owned());
    let html = file.unwrap_or_else(|| NOT_BUILT.to_owned()).replace(NONCE, &nonce);
    let policy = HeaderValue::try_from(headers::console_policy(&nonce)).map_err(Error::internal)?;
    let answer = Response::builder()
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, headers::NO_STORE)
        .header(header::CONTENT_SECURITY_POLICY, policy);
    Ok(answer.body(html))
}

/// Whether the client would take a page: a browser that navigates says so; a script that calls a wrong address of the
/// API asks for JSON and shall not get a page in its place.
fn accepts_html(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT) else { return true };
    accept.to_str().is_ok_and(|accept| ["text/html", "text/*", "*/*"].iter().any(|range| accept.contains(range)))
}

fn content_type(path: &str) -> String {
    let media_type = mime_guess::from_path(path).first_or_octet_stream();
    let is_text = media_type.type_() == mime_guess::mime::TEXT || media_type.subtype() == mime_guess::mime::JSON;
    if is_text { format!("{media_type}; charset=utf-8") } else { media_type.to_string() }
}

#[cfg(test)]
mod tests {
    use poem::RequestBuilder;

    use super::*;

    async fn call(builder: RequestBuilder) -> Response {
        Console.get_response(builder.finish()).await
    }

    fn get(path: &str) -> RequestBuilder {
        Request::builder().uri_str(path)
    }

    #[tokio::test]
    async fn every_page_is_the_console_with_a_nonce_of_its_own() {
        let mut policies = Vec::new();
        for path in ["/", "/sign-in", "/organizations/1/members", "/index.html"] {
            let mut response = call(get(path).header("accept", "text/html,*/*;q=0.8")).await;
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(response.header("cache-control"), Some("no-store"));
            let policy = response.header("content-security-policy").unwrap().to_owned();
            let html = response.take_body().into_string().await.unwrap();
            assert!(!html.contains(NONCE));
            policies.push(policy);
        }
        policies.dedup();
        assert_eq!(policies.len(), 4);
    }

    #[tokio::test]
    async fn what_is_no_page_is_not_found() {
        for path in ["/v1/nothing", "/v1", "/assets/x.js", "/.well-known/x", "/docs/x", "/assets/../index.html"] {
            assert_eq!(call(get(path)).await.status(), 404, "{path}");
        }
        assert_eq!(call(get("/members").header("accept", "application/json")).await.status(), 404);
        assert_eq!(call(get("/members").method(Method::POST)).await.status(), 404);
    }

    #[test]
    fn files_have_their_types() {
        assert_eq!(content_type("assets/a.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("assets/a.css"), "text/css; charset=utf-8");
        assert_eq!(content_type("a.svg"), "image/svg+xml");
        assert_eq!(content_type("a.woff2"), "font/woff2");
        assert_eq!(content_type("a"), "application/octet-stream");
    }
}
