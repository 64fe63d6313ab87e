//! The contract for people and for programs: `/docs` and `/openapi.json`.
//!
//! The page is Redoc with the contract inside. It loads nothing from anywhere, and its policy allows exactly its own
//! two scripts, by their hashes. Redoc writes its styles into the page as it goes, so styles are open, there only.

use std::sync::Arc;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use poem::{
    Endpoint, Request, Response,
    endpoint::make_sync,
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::OpenApiService;
use sha2::{Digest, Sha256};

use super::headers;
use crate::error::{Error, Result};

/// Where Redoc's own script begins in the page that poem-openapi makes, and where it ends.
const SCRIPT: (&str, &str) = ("<script charset=\"UTF-8\">", "</script>");

/// The page, to be filled with Redoc's script and the one that starts it.
const PAGE: &str = include_str!("docs/page.html");

/// The contract, ready to be served.
#[derive(Debug)]
pub struct Docs {
    page: Document,
    contract: Document,
}

/// A document that stays the same while the process runs.
#[derive(Debug)]
struct Document {
    bytes: Bytes,
    media_type: HeaderValue,
    etag: String,
    caching: HeaderValue,
    policy: Option<HeaderValue>,
}

impl Docs {
    /// Makes both documents of the contract's text.
    ///
    /// # Errors
    /// `Internal`, when poem-openapi's page is not as it was when this was written.
    pub fn new(contract: &str) -> Result<Self> {
        let redoc = redoc()?;
        // Inside a script element only `<` can mean anything but JavaScript; in JSON it occurs in strings only.
        let start = format!(
            "Redoc.init({}, {{ hideLoading: true, nativeScrollbars: true }}, document.getElementById(\"contract\"));",
            contract.replace('<', "\\u003c")
        );
        let policy = format!(
            "default-src 'none'; script-src '{}' '{}'; style-src 'unsafe-inline'; img-src 'self' data:; \
             worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash(&redoc),
            hash(&start)
        );
        let (head, rest) = PAGE.split_once("{redoc}").unwrap_or((PAGE, ""));
        let html = format!("{head}{redoc}{}", rest.replacen("{start}", &start, 1));
        let policy = HeaderValue::try_from(policy).map_err(Error::internal)?;
        let page = Document::new(html, "text/html; charset=utf-8", "no-cache");
        let contract = Document::new(contract.to_owned(), "application/json", "public, max-age=300");
        Ok(Self { page: Document { policy: Some(policy), ..page }, contract })
    }

    /// The endpoint of `/docs`.
    pub fn page(self: &Arc<Self>) -> impl Endpoint<Output = Response> + use<> {
        let docs = Arc::clone(self);
        make_sync(move |request| docs.page.answer(&request))
    }

    /// The endpoint of `/openapi.json`.
    pub fn contract(self: &Arc<Self>) -> impl Endpoint<Output = Response> + use<> {
        let docs = Arc::clone(self);
        make_sync(move |request| docs.contract.answer(&request))
    }
}

impl Document {
    fn new(text: String, media_type: &'static str, caching: &'static str) -> Self {
        Self {
            etag: format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(&text))),
            // As long as the process runs: without the room that it was written with.
            bytes: text.into_boxed_str().into_boxed_bytes().into(),
            media_type: HeaderValue::from_static(media_type),
            caching: HeaderValue::from_static(caching),
            policy: None,
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let answer = Response::builder().header(header::CACHE_CONTROL, &self.caching).header(header::ETAG, &self.etag);
        let answer =
            self.policy.iter().fold(answer, |answer, policy| answer.header(header::CONTENT_SECURITY_POLICY, policy));
        if headers::matches_etag(request.headers(), &self.etag) {
            return answer.status(StatusCode::NOT_MODIFIED).finish();
        }
        answer.header(header::CONTENT_TYPE, &self.media_type).body(self.bytes.clone())
    }
}

/// Redoc's script, out of the page that poem-openapi makes of an empty contract. That page itself loads fonts from
/// elsewhere and can't be used.
fn redoc() -> Result<String> {
    let page = OpenApiService::new((), "", "").redoc_html();
    let script = page.split_once(SCRIPT.0).and_then(|(_, rest)| rest.split_once(SCRIPT.1)).map(|(script, _)| script);
    // A browser hashes the script as the HTML parser hands it on, with plain line ends.
    script.map(|script| script.replace("\r\n", "\n")).ok_or_else(|| Error::internal("Redoc is not where it was"))
}

/// A script's hash, as Content-Security-Policy writes it (CSP 3, 2.3.1).
fn hash(script: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(script)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = r#"{"openapi":"3.0.0","info":{"title":"</script><b>","version":"1"},"paths":{}}"#;

    #[tokio::test]
    async fn the_page_allows_its_own_scripts_only_and_loads_nothing() {
        let docs = Arc::new(Docs::new(CONTRACT).unwrap());
        let mut response = docs.page().get_response(Request::default()).await;
        let policy = response.header("content-security-policy").unwrap().to_owned();
        let html = response.take_body().into_string().await.unwrap();
        let mut rest = html.as_str();
        for _ in 0..2 {
            let (script, after) = rest.split_once("<script>").unwrap().1.split_once("</script>").unwrap();
            assert!(policy.contains(&hash(script)));
            rest = after;
        }
        assert!(!rest.contains("script>"));
        for outside in ["href=\"http", "src=\"http", "fonts.googleapis.com"] {
            assert!(!html.contains(outside), "{outside}");
        }
    }

    #[tokio::test]
    async fn the_contract_is_sent_once() {
        let docs = Arc::new(Docs::new(CONTRACT).unwrap());
        let mut response = docs.contract().get_response(Request::default()).await;
        let etag = response.header("etag").unwrap().to_owned();
        assert_eq!(response.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(response.take_body().into_string().await.unwrap(), CONTRACT);
        let again = Request::builder().header("if-none-match", &etag).finish();
        assert_eq!(docs.contract().get_response(again).await.status(), 304);
    }
}
