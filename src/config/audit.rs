//! `[audit]`: where checkpoints of the record go, outside of what the installation itself can change (AUD-4).

use std::path::PathBuf;

use super::{reader::Reader, values::Setting};
use crate::types::Email;

/// Where checkpoints go once a day. Settings of the server and not of the platform: whoever gets hold of a platform
/// administrator's account must not be able to turn them off.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// A directory that the file of each day is written into. Default none. It should be one that this server can only
    /// add to, or that is copied away.
    pub checkpoint_directory: Option<PathBuf>,
    /// Addresses that the checkpoints are sent to. Default none.
    pub checkpoint_recipients: Vec<Email>,
}

impl Audit {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            checkpoint_directory: reader.take_optional("audit.checkpoint_directory"),
            checkpoint_recipients: reader.take("audit.checkpoint_recipients", Vec::new()),
        }
    }
}

/// Addresses, separated by commas.
impl Setting for Vec<Email> {
    fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| part.parse().map_err(|wrong| format!("has a part ({part}) that {wrong}"))).collect()
    }

    fn show(&self) -> String {
        self.iter().map(Email::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_addresses_with_commas_between() {
        let read = Vec::<Email>::parse(" auditor@example.com, Archive@Example.org ,");
        assert_eq!(read.as_ref().map(Setting::show), Ok("auditor@example.com, archive@example.org".to_owned()));
        let wrong = Vec::<Email>::parse("auditor@example.com, nobody").map_err(|error| error.contains("nobody"));
        assert_eq!((wrong, Vec::<Email>::parse("")), (Err(true), Ok(Vec::new())));
    }
}
