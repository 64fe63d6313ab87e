//! The letters about alerts: one at once, and digests. They name alerts and nobody whom those are about.

use askama::Template;

use super::letter::{moment, plain};
use crate::runtime::Timestamp;

/// Why there is a letter about alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Something critical was raised.
    Critical,
    /// The digest of every hour.
    Hourly,
    /// The digest of every day.
    Daily,
    /// The digest of every week.
    Weekly,
}

/// An alert in a letter.
#[derive(Clone, Debug)]
pub struct AlertLine {
    /// How much it matters.
    pub severity: &'static str,
    /// What its rule is called.
    pub title: String,
    /// How many times it happened.
    pub count: i64,
    /// When last.
    pub last_at: Timestamp,
}

/// What the templates see.
pub(super) struct Alerts<'a> {
    subject: String,
    intro: String,
    lines: Vec<Line>,
    more: Option<String>,
    link: &'a str,
    closing: String,
}

struct Line {
    severity: &'static str,
    color: &'static str,
    title: String,
    number: String,
    last: String,
}

impl<'a> Alerts<'a> {
    pub(super) fn new(
        (organization, occasion): (&str, Occasion),
        lines: &[AlertLine],
        more: usize,
        link: &'a str,
    ) -> Self {
        let organization = plain(organization);
        let number = lines.len() + more;
        let (subject, intro, every) = match occasion {
            Occasion::Critical => {
                let subject = match lines {
                    [one] if more == 0 => format!("Critical alert at {organization}: {}", plain(&one.title)),
                    _ => format!("{number} critical alerts at {organization}"),
                };
                (subject, "This was raised just now and needs somebody's attention.", None)
            }
            Occasion::Hourly => (digest(number, &organization), "This was raised since the last digest.", Some("hour")),
            Occasion::Daily => (digest(number, &organization), "This was raised since the last digest.", Some("day")),
            Occasion::Weekly => (digest(number, &organization), "This was raised since the last digest.", Some("week")),
        };
        let closing = match every {
            Some(every) => format!(
                "You get this message because you may read the alerts of {organization}, once every {every} at most. On the \
                 page of the alerts you choose how often, and of what."
            ),
            None => format!(
                "You get this message because you may read the alerts of {organization}. On the page of the alerts you \
                 choose whether you are told at once."
            ),
        };
        let more = (more > 0).then(|| format!("And {more} more."));
        Self { subject, intro: intro.to_owned(), lines: lines.iter().map(Line::of).collect(), more, link, closing }
    }
}

fn digest(number: usize, organization: &str) -> String {
    match number {
        1 => format!("{organization}: one new alert"),
        _ => format!("{organization}: {number} new alerts"),
    }
}

impl Line {
    fn of(line: &AlertLine) -> Self {
        let (severity, color) = match line.severity {
            "critical" => ("Critical", "#b3261e"),
            "high" => ("High", "#b25e09"),
            "medium" => ("Medium", "#8a6d00"),
            _ => ("Low", "#645f57"),
        };
        let number = if line.count == 1 { "once".to_owned() } else { format!("{} times", line.count) };
        Self { severity, color, title: plain(&line.title), number, last: moment(line.last_at) }
    }
}

#[derive(Template)]
#[template(path = "alerts/subject.txt")]
pub(super) struct AlertsSubject<'a> {
    pub(super) letter: &'a Alerts<'a>,
}

#[derive(Template)]
#[template(path = "alerts/body.txt")]
pub(super) struct AlertsText<'a> {
    pub(super) letter: &'a Alerts<'a>,
}

#[derive(Template)]
#[template(path = "alerts/body.html")]
pub(super) struct AlertsHtml<'a> {
    pub(super) letter: &'a Alerts<'a>,
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use crate::mail::letter::Letter;

    use super::*;

    fn letter(title: &str, occasion: Occasion, more: usize) -> Letter {
        let last_at = chrono::Utc.with_ymd_and_hms(2026, 11, 28, 4, 6, 0).unwrap();
        let lines = vec![AlertLine { severity: "critical", title: title.to_owned(), count: 3, last_at }];
        let link = "https://id.example.com/o/acme/alerts".to_owned();
        Letter::Alerts { organization: "Acme <b>".to_owned(), occasion, lines, more, link }
    }

    /// Proves AUD-6 and NET-14.
    #[test]
    fn a_letter_about_alerts_says_the_same_in_both_bodies_and_its_values_stay_text() {
        let evil = "<img src=x onerror=alert(1)>\r\nBcc: all@example.com";
        for (occasion, more) in
            [(Occasion::Critical, 0), (Occasion::Critical, 2), (Occasion::Daily, 0), (Occasion::Weekly, 5)]
        {
            let written = letter(evil, occasion, more).write().unwrap();
            assert!(!written.subject.chars().any(char::is_control), "{:?}", written.subject);
            assert!(!written.html.contains("<img") && !written.html.contains("Acme <b>"), "{}", written.html);
            assert!(!written.text.contains("\nBcc") && !written.text.contains("\n\n\n"), "{}", written.text);
            for body in [&written.text, &written.html] {
                for part in [
                    "Critical",
                    "3 times",
                    "Saturday, 28 November 2026, 04:06 UTC",
                    "https://id.example.com/o/acme/alerts",
                ] {
                    assert!(body.contains(part), "{part:?} is missing in {body}");
                }
                assert_eq!(body.contains("more."), more > 0, "{body}");
            }
        }
        assert_eq!(
            letter("Lockouts", Occasion::Critical, 0).write().unwrap().subject,
            "Critical alert at Acme <b>: Lockouts"
        );
        assert_eq!(letter("x", Occasion::Hourly, 4).write().unwrap().subject, "Acme <b>: 5 new alerts");
    }
}
