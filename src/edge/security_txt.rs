//! `/.well-known/security.txt` (RFC 9116): how to report a vulnerability of this installation (NET-13). Like the console
//! it is no operation of the API: it is the same for everybody, and known before anything runs.

use chrono::{SecondsFormat, TimeDelta, Timelike};
use poem::{Endpoint, Request, Response, http::header};

use super::problem::refuse;
use crate::{
    config::Security,
    error::{Error, Result},
    types::Origin,
};

/// Where it lies.
const PATH: &str = "/.well-known/security.txt";
/// How long what it says can be relied on: well under the year that the RFC recommends as the most (2.5.5), and longer
/// than anybody takes to write a report.
const GOOD_FOR: TimeDelta = TimeDelta::days(90);
/// How long a copy may be kept, an hour.
const CACHING: &str = "public, max-age=3600";

/// The file, as configured.
pub struct SecurityTxt {
    /// Everything but when it expires.
    text: String,
}

impl SecurityTxt {
    /// For an installation that is reached at this address, which has no slash at the end.
    pub fn new(security: &Security, public_url: &str) -> Self {
        let contacts = security.contact.iter().map(|contact| format!("Contact: {contact}\n"));
        let mut text: String = contacts.collect();
        text += &format!("Preferred-Languages: {}\n", security.languages.join(", "));
        text += &format!("Canonical: {public_url}{PATH}\n");
        if let Some(policy) = &security.policy {
            text += &format!("Policy: {policy}\n");
        }
        Self { text }
    }

    /// The file of a moment.
    fn at(&self, origin: Option<&Origin>) -> Result<String> {
        let now = origin.ok_or_else(|| Error::internal("a request without an origin"))?.now;
        // By the day, so that copies of one day are the same.
        let expires = (now + GOOD_FOR).with_hour(0).and_then(|time| time.with_minute(0)).unwrap_or(now);
        let expires = expires.with_second(0).unwrap_or(expires).to_rfc3339_opts(SecondsFormat::Secs, true);
        Ok(format!("{}Expires: {expires}\n", self.text))
    }
}

impl Endpoint for SecurityTxt {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let text = self.at(request.data::<Origin>()).map_err(refuse)?;
        let answer = Response::builder().header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
        Ok(answer.header(header::CACHE_CONTROL, CACHING).body(text))
    }
}
