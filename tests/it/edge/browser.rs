//! A browser with the console open: it has cookies, and sends with each request what browsers send.

use reqwest::{Method, header};
use serde_json::json;

use crate::harness::{Actor, Answer, Draft, PASSWORD};

/// A browser that is signed in.
pub struct Browser {
    actor: Actor,
    origin: String,
    /// Name and value of each cookie.
    cookies: Vec<(String, String)>,
    /// What the sign-in was answered.
    pub signed_in: Answer,
}

impl Browser {
    /// Signs in at a server whose public address is `origin`.
    pub async fn sign_in(nobody: &Actor, origin: &str, email: &str) -> Self {
        let body = json!({"email": email, "password": PASSWORD, "token_delivery": "cookie"});
        let draft = nobody.request(Method::POST, "/v1/sessions").json(&body).header("origin", origin);
        Self::of(nobody, origin, over(draft, origin).send().await.expect(201))
    }

    /// The browser that was answered this to its sign-in.
    pub fn of(nobody: &Actor, origin: &str, signed_in: Answer) -> Self {
        let (actor, origin) = (nobody.clone(), origin.to_owned());
        let mut browser = Self { actor, origin, cookies: Vec::new(), signed_in: signed_in.clone() };
        browser.keep(&signed_in);
        browser
    }

    /// Keeps the cookies of an answer, and forgets those that it clears.
    pub fn keep(&mut self, answer: &Answer) {
        for line in set_cookies(answer) {
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// The value of a cookie, by its whole name.
    pub fn cookie(&self, name: &str) -> &str {
        let found = self.cookies.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no cookie {name}: {:?}", self.names())).1
    }

    /// The names of the cookies.
    pub fn names(&self) -> Vec<&str> {
        self.cookies.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The token that the console repeats in a header.
    pub fn csrf(&self) -> &str {
        let found = self.cookies.iter().find(|(name, _)| name.ends_with("freehold_csrf"));
        &found.expect("no cookie for the token").1
    }

    /// The `Cookie` header.
    pub fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// A request that any page in this browser can make it send: with the cookies and nothing else.
    pub fn request(&self, method: Method, path: &str) -> Draft {
        over(self.actor.request(method, path), &self.origin).header("cookie", &self.cookie_header())
    }

    /// A request of the console's own.
    pub fn own(&self, method: Method, path: &str) -> Draft {
        self.request(method, path).header("origin", &self.origin).header("x-csrf-token", self.csrf())
    }
}

/// The proxy before an https address says so.
fn over(draft: Draft, origin: &str) -> Draft {
    if origin.starts_with("https:") { draft.header("x-forwarded-proto", "https") } else { draft }
}

/// The `Set-Cookie` lines of an answer.
pub fn set_cookies(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect()
}
