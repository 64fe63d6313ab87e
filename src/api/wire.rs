//! Wire types that several resources share: pages, versioned answers, and how times and ids look.

use std::{borrow::Cow, marker::PhantomData};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use poem::{
    Body, IntoResponse, Request, Response,
    http::{HeaderValue, header},
};
use poem_openapi::{
    ApiResponse, Object,
    payload::{Json, Payload},
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{MaybeUndefined, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use crate::{
    error::Result,
    types::{Cursor, Page},
};

/// A page of a list.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Items<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// The items.
    pub items: Vec<T>,
    /// Pass this as `cursor` to get the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// The answer of a list.
#[derive(ApiResponse)]
pub enum Listed<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// A page.
    #[oai(status = 200)]
    Page(
        Json<Items<T>>,
        /// The next page, if there is one (RFC 8288).
        #[oai(header = "Link")]
        Option<String>,
    ),
}

/// JSON that is written already: as a payload the same as [`Json`], and cheap to send again.
pub struct Written<T> {
    text: Bytes,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Written<T> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), of: PhantomData }
    }
}

impl<T: ToJSON> Written<T> {
    /// What has been written as such an object elsewhere.
    pub fn already(text: Bytes) -> Self {
        Self { text, of: PhantomData }
    }

    /// Writes an object.
    pub fn of(object: &T) -> Self {
        Self { text: object.to_json().unwrap_or_default().to_string().into(), of: PhantomData }
    }
}

impl<T: Type> Payload for Written<T> {
    const CONTENT_TYPE: &'static str = Json::<T>::CONTENT_TYPE;

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Send> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
        let mut response = Response::default();
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        response.set_body(self.text);
        response
    }
}

/// The answer of a read or an update of one object.
#[derive(ApiResponse)]
pub enum Versioned<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// The object.
    #[oai(status = 200)]
    Present(
        Written<T>,
        /// The object's version, for `If-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

/// The answer of a creation.
#[derive(ApiResponse)]
pub enum Created<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// The new object.
    #[oai(status = 201)]
    Created(
        Json<T>,
        /// Where the new object is.
        #[oai(header = "Location")]
        String,
    ),
}

/// The answer of an operation that has nothing to say.
#[derive(ApiResponse)]
pub enum Done {
    /// Done.
    #[oai(status = 204)]
    Done,
}

/// The answer of an operation whose result comes another way, such as by mail.
#[derive(ApiResponse)]
pub enum Accepted {
    /// Accepted; a letter says the rest.
    #[oai(status = 202)]
    Accepted,
}

/// A file, as it comes; its name says what is in it.
pub struct Download(Body);

impl Payload for Download {
    const CONTENT_TYPE: &'static str = "application/octet-stream";

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")))
    }
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        // No browser shows it as a page, whatever is in it.
        const BYTES: HeaderValue = HeaderValue::from_static(Download::CONTENT_TYPE);
        let mut response = Response::default();
        response.headers_mut().insert(header::CONTENT_TYPE, BYTES);
        response.set_body(self.0);
        response
    }
}

/// The answer of an operation that gives a file.
#[derive(ApiResponse)]
pub enum File {
    /// The file.
    #[oai(status = 200)]
    File(
        Download,
        /// What to call it (RFC 6266).
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

impl File {
    /// A file that is made while it leaves; an error breaks it off.
    pub fn of(bytes: impl Stream<Item = Result<Bytes>> + Send + 'static, name: impl AsRef<str>) -> Self {
        let bytes = bytes.map_err(|error| {
            tracing::error!(%error, "a file broke off");
            std::io::Error::other("a file broke off")
        });
        let name = format!("attachment; filename=\"{}\"", name.as_ref());
        Self::File(Download(Body::from_bytes_stream(bytes)), name)
    }
}

/// A field of an update that may be left out, set, or taken away with null. The contract says so, which
/// [`MaybeUndefined`] does not.
pub struct Change<T>(MaybeUndefined<T>);

impl<T> Change<T> {
    /// `None` when the field was left out, `Some(None)` when it was null.
    pub fn wanted(self) -> Option<Option<T>> {
        match self.0 {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(value) => Some(Some(value)),
        }
    }
}

impl<T: Type> Type for Change<T> {
    const IS_REQUIRED: bool = false;
    type RawValueType = T::RawValueType;
    type RawElementValueType = T::RawElementValueType;

    fn name() -> Cow<'static, str> {
        MaybeUndefined::<T>::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref().merge(MetaSchema { nullable: true, ..MetaSchema::ANY })
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        self.0.as_raw_value()
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        self.0.raw_element_iter()
    }
}

impl<T: ParseFromJSON> ParseFromJSON for Change<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        let parsed = MaybeUndefined::parse_from_json(value).map_err(poem_openapi::types::ParseError::propagate)?;
        Ok(Self(parsed))
    }
}

impl<T: ToJSON> ToJSON for Change<T> {
    fn to_json(&self) -> Option<Value> {
        self.0.to_json()
    }
}

impl<T: ParseFromJSON + ToJSON + Send + Sync> Listed<T> {
    /// A page, with a link to the next one.
    pub fn page<U>(request: &Request, page: Page<U>, wire: impl FnMut(U) -> T) -> Self {
        let page = page.map(wire);
        let next_cursor = page.next.map(Cursor::encode);
        let link =
            next_cursor.as_ref().map(|cursor| format!("<{}>; rel=\"next\"", next_address(request, ("cursor", cursor))));
        Self::Page(Json(Items { items: page.items, next_cursor }), link)
    }
}

/// The request's own address with another cursor in this parameter.
pub fn next_address(request: &Request, (name, cursor): (&str, &str)) -> String {
    let query = request.uri().query().unwrap_or_default();
    let kept = query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name));
    let query: Vec<String> = kept.map(str::to_owned).chain([format!("{name}={cursor}")]).collect();
    format!("{}?{}", request.original_uri().path(), query.join("&"))
}

impl<T: ParseFromJSON + ToJSON + Send + Sync> Versioned<T> {
    /// An object of this version.
    pub fn of(version: i32, object: T) -> Self {
        Self::written(version, Written::of(&object))
    }

    /// An object of this version that is written already.
    pub fn written(version: i32, object: Written<T>) -> Self {
        Self::Present(object, format!("\"{version}\""))
    }
}

/// The version in an `If-Match` header (RFC 9110, 13.1.1). `*` and no header ask for none; what is no version of ours
/// matches none.
pub fn version(if_match: Option<String>) -> Option<i32> {
    let text = if_match?;
    let text = text.trim();
    if text == "*" {
        return None;
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    Some(version.unwrap_or(-1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_strictly() {
        assert_eq!(version(None), None);
        assert_eq!(version(Some("*".into())), None);
        assert_eq!(version(Some("\"7\"".into())), Some(7));
        for odd in ["7", "W/\"7\"", "\"x\"", ""] {
            assert_eq!(version(Some(odd.into())), Some(-1), "{odd}");
        }
    }
}
