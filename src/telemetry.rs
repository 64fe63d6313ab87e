//! The log: one line an event, as JSON for machines or as text for people, on standard output.
//!
//! A JSON line has `timestamp` (RFC 3339, UTC), `level`, `target`, `message`, the event's own fields, and those of the
//! spans around it, above all `request_id` and `trace_id`. This module never decides what is logged.

use std::{fmt, io, panic::PanicHookInfo};

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::{
        FmtContext, FormatEvent, FormatFields, MakeWriter,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::{
    config::LogFormat,
    error::{Error, Result},
};

/// Libraries whose news at the level info is no operator's business.
const QUIET: &str = "tokio_cron_scheduler=warn,sqlx::postgres::notice=warn,sea_orm_migration=warn,\
                     webauthn_rs=off,webauthn_rs_core=off";

/// Starts logging for the whole process; panics are logged too from then on. `level` is a level such as `info`, or
/// directives such as `info,freehold::mail=debug`.
///
/// # Errors
/// `Internal`, when `level` can't be read or logging was started before.
pub fn init(level: &str, format: LogFormat) -> Result<()> {
    init_to(level, format, io::stdout)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// The same to somewhere else, and panics stay as they are.
///
/// # Errors
/// As [`init`].
pub fn init_to<W>(level: &str, format: LogFormat, writer: W) -> Result<()>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // What the operator says comes later and so wins over this.
    let filter = EnvFilter::try_new(format!("{QUIET},{level}")).map_err(Error::internal)?;
    let started = match format {
        LogFormat::Json => tracing_subscriber::registry().with(filter).with(json(writer)).try_init(),
        LogFormat::Text => {
            let text = tracing_subscriber::fmt::layer().with_writer(writer);
            tracing_subscriber::registry().with(filter).with(text).try_init()
        }
    };
    started.map_err(Error::internal)
}

/// A panic is a fault of ours: it is logged whole, here and nowhere else.
fn log_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(panic = message, location, "panic");
}

/// The layers that write JSON lines.
fn json<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The fields of spans are kept by `SpanFields` as values; the formatter of spans' fields as text is not used.
    SpanFields.and_then(tracing_subscriber::fmt::layer().event_format(JsonLines).with_writer(writer))
}

/// The fields of a span, kept beside it.
struct Fields(Map<String, Value>);

/// Keeps the fields of spans for the lines of the events in them.
struct SpanFields;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanFields {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

/// Writes an event as one JSON object. What the event says itself wins over what its spans say.
struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Map::new();
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.extend(fields.0.clone());
            }
        }
        let mut own = Fields(Map::new());
        event.record(&mut own);
        line.extend(own.0);
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let metadata = event.metadata();
        line.insert("timestamp".to_owned(), timestamp.into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("target".to_owned(), metadata.target().into());
        line.entry("message").or_insert_with(|| metadata.name().into());
        writeln!(writer, "{}", Value::Object(line))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use chrono::DateTime;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// Proves OPS-8.
    #[test]
    fn a_line_is_one_json_object_with_the_fields_of_its_request() {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::registry().with(json(lines.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::error_span!("request", request_id = %"r-1", trace_id = "t-1");
            let _entered = span.enter();
            tracing::info!(status = 200_u16, route = "a\nb", "request");
        });
        let written = lines.0.lock().unwrap().clone();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written.lines().count(), 1);
        let mut line: Map<String, Value> = serde_json::from_str(&written).unwrap();
        let timestamp = line.remove("timestamp").unwrap();
        assert_eq!(DateTime::parse_from_rfc3339(timestamp.as_str().unwrap()).unwrap().offset().local_minus_utc(), 0);
        line.remove("target").unwrap();
        let expected = serde_json::json!({
            "level": "INFO", "message": "request", "request_id": "r-1", "trace_id": "t-1", "status": 200, "route": "a\nb",
        });
        assert_eq!(Value::Object(line), expected);
    }
}
