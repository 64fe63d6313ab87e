//! Keyset pages: bounded, opaque cursors, no offsets, no totals.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::error::{Error, Fault, Result};

/// Which page a client asks for.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// How many items at most: 1 to 200.
    pub limit: u64,
    /// Where the last page ended.
    pub after: Option<Cursor>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

/// The id of the last item of a page. Lists are ordered by id, which is ordered by time (UUIDv7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub Uuid);

impl PageRequest {
    /// The most items a page can have.
    pub const MOST: u64 = 200;
    /// The items of a page when the client does not say.
    pub const DEFAULT: u64 = 50;

    /// Reads a client's `limit` and `cursor`.
    ///
    /// # Errors
    /// `Invalid`, naming the parameter.
    pub fn parse(limit: Option<u64>, cursor: Option<&str>) -> Result<Self> {
        let limit = limit.unwrap_or(Self::DEFAULT);
        if !(1..=Self::MOST).contains(&limit) {
            let fault = Fault::parameter("limit", "range", format!("must be between 1 and {}", Self::MOST));
            return Err(Error::Invalid(vec![fault]));
        }
        let after = cursor.map(Cursor::parse).transpose()?;
        Ok(Self { limit, after })
    }

    /// How many rows to read: one more than the page, to know whether there is another.
    pub fn rows(&self) -> u64 {
        self.limit + 1
    }
}

impl<T> Page<T> {
    /// Makes a page of what was read for `request`, whose items have these ids.
    pub fn of(request: PageRequest, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Self {
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(|row| Cursor(id(row))) } else { None };
        Self { items: rows, next }
    }

    /// The same page of other items.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(make).collect(), next: self.next }
    }
}

impl Cursor {
    /// The text for the client.
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_bytes())
    }

    fn parse(text: &str) -> Result<Self> {
        URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| Uuid::from_slice(&bytes).ok()).map(Self).ok_or_else(|| {
            Error::Invalid(vec![Fault::parameter("cursor", "format", "is not a cursor that a page gave")])
        })
    }
}
