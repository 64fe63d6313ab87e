//! How often errors were answered, for operators.

use chrono::{DateTime, Utc};
use poem_openapi::{Object, OpenApi, payload::Json};

use super::{Face, Tag};
use crate::{
    alerts::{self, Counted},
    edge::ApiResult,
    error::Code,
    types::Caller,
};

/// The operations.
pub struct Errors(pub Face);

/// How often one kind of error was answered.
#[derive(Debug, Object)]
struct ErrorCount {
    /// The stable code of the problem.
    code: String,
    /// The status that goes with it.
    status: u16,
    /// The problem in words; the code again for one that this release does not know.
    title: String,
    /// How often in the last five minutes.
    five_minutes: u64,
    /// How often in the last hour.
    hour: u64,
    /// How often in the last day.
    day: u64,
    /// How often in the last week.
    week: u64,
    /// The minute in which it was last answered.
    last_at: DateTime<Utc>,
}

/// The errors that all instances have answered in the last week.
#[derive(Debug, Object)]
struct ErrorCounts {
    /// When they were counted.
    as_of: DateTime<Utc>,
    /// By code, those of the server first, and the most frequent of each status.
    items: Vec<ErrorCount>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Health")]
impl Errors {
    /// How often each kind of error was answered, on all instances.
    ///
    /// Each instance adds what it counted every few seconds; what the instance that answers this has not yet added is in
    /// the answer, what others have not is not. Counts are kept for 30 days, by the minute.
    #[oai(path = "/errors/stats", method = "get", operation_id = "errors_stats")]
    async fn stats(&self, caller: Caller) -> ApiResult<Json<ErrorCounts>> {
        let counted = alerts::errors(&self.0.gate.app.db, &caller).await?;
        let mut items: Vec<ErrorCount> = counted.into_iter().map(ErrorCount::from).collect();
        for (code, count) in self.0.stats.pending() {
            match items.iter_mut().find(|item| item.code == code.as_str()) {
                Some(item) => item.add(count, caller.now()),
                None => items.push(ErrorCount::new(code, count, caller.now())),
            }
        }
        items.sort_by(|a, b| (b.status, b.week, &a.code).cmp(&(a.status, a.week, &b.code)));
        Ok(Json(ErrorCounts { as_of: caller.now(), items }))
    }
}

impl ErrorCount {
    fn new(code: Code, count: u64, now: DateTime<Utc>) -> Self {
        let (status, title) = (code.status(), code.title().to_owned());
        let [five_minutes, hour, day, week] = [count; 4];
        Self { code: code.to_string(), status, title, five_minutes, hour, day, week, last_at: now }
    }

    fn add(&mut self, count: u64, now: DateTime<Utc>) {
        for counted in [&mut self.five_minutes, &mut self.hour, &mut self.day, &mut self.week] {
            *counted += count;
        }
        self.last_at = self.last_at.max(now);
    }
}

impl From<Counted> for ErrorCount {
    fn from(counted: Counted) -> Self {
        let number = |count: i64| u64::try_from(count).unwrap_or_default();
        let Counted { code, status, five_minutes, hour, day, week, last_at } = counted;
        let known = Code::ALL.iter().find(|known| known.as_str() == code);
        Self {
            title: known.map_or_else(|| code.clone(), |known| known.title().to_owned()),
            status: u16::try_from(status).unwrap_or_default(),
            five_minutes: number(five_minutes),
            hour: number(hour),
            day: number(day),
            week: number(week),
            code,
            last_at,
        }
    }
}
