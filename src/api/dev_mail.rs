//! `/dev/mail`: the mail that a development server would have sent. Mounted in the development profile only, when
//! mail goes to files (NET-14: production has no debug routes).
//!
//! It shows the text version of a message and never its HTML. The pages run no script and load nothing. They answer
//! under the names of this machine only: a foreign page whose name is made to lead here would read the links of the
//! mails (DNS rebinding).

use std::path::PathBuf;

use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};
use entity::OutboxId;
use poem::{
    Endpoint, EndpointExt, IntoResponse, Response, Route, get, handler,
    http::{StatusCode, header},
    web::{Data, Path},
};
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

use crate::{
    edge::{context, problem::refuse},
    error::{Code, Error},
    mail::files::{self, Filed},
};

/// The most messages on the list; a development server needs no pages.
const MOST: usize = 200;
const STYLE: &str = include_str!("../../templates/dev/style.css");

#[derive(Template)]
#[template(path = "dev/list.html")]
struct List {
    style: &'static str,
    mails: Vec<Filed>,
}

#[derive(Template)]
#[template(path = "dev/message.html")]
struct Message<'a> {
    style: &'static str,
    mail: Filed,
    pieces: Vec<Piece<'a>>,
}

#[derive(Template)]
#[template(path = "dev/missing.html")]
struct Missing {
    style: &'static str,
}

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Link(&'a str),
}

/// The pages, to be nested at `/dev/mail`, of the mail in this directory, on a server with this public URL.
pub fn endpoint(directory: PathBuf, public_url: &str) -> impl Endpoint + use<> {
    let own = Url::parse(public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let pages = Route::new().at("/", get(list)).at("/:id", get(show)).data(directory);
    pages.around(move |pages, request| {
        let known = context::host::name(request.headers()).is_some_and(|host| is_here(host, own.as_deref()));
        async move { if known { pages.call(request).await } else { Err(refuse(Error::Forbidden(Code::CrossSiteRequest))) } }
    })
}

/// Whether a host names this machine, or is the public one.
fn is_here(host: &str, public: Option<&str>) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].into_iter().chain(public).any(|known| known.eq_ignore_ascii_case(host))
}

#[handler]
async fn list(Data(directory): Data<&PathBuf>) -> Response {
    match files::list(directory.clone(), MOST).await {
        Ok(mails) => page(StatusCode::OK, &List { style: STYLE, mails }),
        Err(error) => failed(&error),
    }
}

#[handler]
async fn show(Data(directory): Data<&PathBuf>, Path(id): Path<String>) -> Response {
    let missing = || page(StatusCode::NOT_FOUND, &Missing { style: STYLE });
    // Only an id becomes part of a path.
    let Ok(id) = Uuid::try_parse(&id) else { return missing() };
    match files::read(directory.clone(), OutboxId(id)).await {
        Ok((mail, text)) => page(StatusCode::OK, &Message { style: STYLE, mail, pieces: pieces(&text) }),
        Err(Error::NotFound(_)) => missing(),
        Err(error) => failed(&error),
    }
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => return failed(&Error::internal(error)),
    };
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, policy)
        .header(header::CACHE_CONTROL, "no-store")
        .body(html)
}

fn failed(error: &Error) -> Response {
    tracing::error!(%error, "mail can't be shown");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Cuts a text at its http(s) addresses.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = next_link(rest) {
        let (before, link) = rest.split_at(start);
        let end = link.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(link.len());
        let (link, _) = link.split_at(end);
        // What ends a sentence does not belong to an address.
        let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']);
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Link(link));
        (_, rest) = rest.split_at(start + link.len());
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

fn next_link(text: &str) -> Option<usize> {
    ["http://", "https://"].iter().filter_map(|scheme| text.find(scheme)).min()
}

#[cfg(test)]
mod tests {
    use poem::{Request, http::Uri};

    use super::*;
    use crate::runtime::Ids;

    #[test]
    fn addresses_become_links_and_nothing_else_does() {
        assert_eq!(
            pieces("See https://a.example/x#t=1. Or (http://b.example), or javascript:alert(1)"),
            [
                Piece::Text("See "),
                Piece::Link("https://a.example/x#t=1"),
                Piece::Text(". Or ("),
                Piece::Link("http://b.example"),
                Piece::Text("), or javascript:alert(1)"),
            ]
        );
        assert_eq!(pieces(""), []);
        assert_eq!(pieces("https://"), [Piece::Link("https://")]);
    }

    #[tokio::test]
    async fn pages_escape_what_they_show_and_leave_their_directory_alone() {
        let parent = std::env::temp_dir().join(format!("freehold-dev-mail-{}", Ids.next::<Uuid>()));
        let directory = parent.join("mail");
        std::fs::create_dir_all(&directory).unwrap();
        let id: Uuid = Ids.next();
        let mail = "Subject: <script>alert(1)</script>\r\nTo: ada@example.com\r\n\r\n<img src=x> https://id.example.com/setup#token=a\"b\r\n";
        std::fs::write(directory.join(format!("{id}.eml")), mail).unwrap();
        std::fs::write(parent.join("secret.eml"), "Subject: secret\r\n\r\nsecret").unwrap();
        let app = Route::new().nest("/dev/mail", endpoint(directory, "http://dev.example:8080"));
        let get = async |path: String| {
            let request =
                Request::builder().uri(path.parse::<Uri>().unwrap()).header("host", "localhost:8080").finish();
            let response = app.get_response(request).await;
            (response.status(), response.headers().clone(), response.into_body().into_string().await.unwrap())
        };

        let (status, headers, listed) = get("/dev/mail".to_owned()).await;
        assert_eq!(status, 200);
        assert!(
            headers[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'; style-src 'sha256-")
        );
        assert!(listed.contains(&format!("/dev/mail/{id}")) && !listed.contains("<script"), "{listed}");
        // The hash is of what stands between the tags.
        let (_, style) = listed.split_once("<style>").unwrap();
        assert_eq!(style.split_once("</style>").unwrap().0, STYLE);

        let (status, _, shown) = get(format!("/dev/mail/{id}")).await;
        assert_eq!(status, 200);
        assert!(!shown.contains("<script") && !shown.contains("<img"), "{shown}");
        assert!(shown.contains("href=\"https://id.example.com/setup#token=a\""), "{shown}");

        for wrong in ["secret", "..%2Fsecret", "../secret", "%2e%2e%2fsecret.eml", &Ids.next::<Uuid>().to_string()] {
            let (status, _, body) = get(format!("/dev/mail/{wrong}")).await;
            assert_eq!(status, 404, "{wrong}");
            assert!(!body.contains("Subject: secret"), "{wrong}");
        }
        std::fs::remove_dir_all(parent).unwrap();
    }
}
