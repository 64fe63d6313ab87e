//! The exported policy: one document, whose bytes follow from the state alone, with its digest and signature (AZ-5).
//!
//! A document has at most [`MOST`] holders, so that its memory and its time are bounded; an organisation with more gets
//! several, each whole and signed by itself, all as of one moment. That somebody got one is in the record, with its digest.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SubsecRound};
use entity::OrganizationId;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    canonical::canonical,
    custom::{self, CustomRole},
    history::{self, moment},
    holders::{self, Asked},
    map::{Read, hex},
    revisions::{self, Revision},
    sheet,
};
use crate::{
    app::App,
    audit::{Event, Kind},
    db::Tx,
    error::{Error, Fault, Result},
    runtime::Timestamp,
    types::Caller,
};

/// The most holders of one document: some megabytes of it.
pub const MOST: u64 = 10_000;

/// What a document is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Canonical JSON (RFC 8785), everything in one.
    Json,
    /// A table (RFC 4180).
    Csv(Part),
}

/// What a table is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The operations with every role's decision.
    Operations,
    /// Who holds which role.
    Holders,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Holders of one organisation, or of all that the caller sees.
    pub organization: Option<OrganizationId>,
    /// As of this moment, or as it is.
    pub as_of: Option<Timestamp>,
    /// In which form.
    pub format: Format,
    /// How many holders at most, 1 to [`MOST`].
    pub holders: Option<u64>,
    /// Where the last document ended.
    pub after: Option<String>,
}

/// A document.
pub struct Document {
    /// Its bytes.
    pub text: String,
    /// SHA-256 of them.
    pub digest: [u8; 32],
    /// A detached JWS over them (RFC 7515, appendix F).
    pub signature: String,
    /// Where the next one begins; `None` after the last.
    pub next: Option<String>,
    /// When the policy was so: the moment asked for, or now.
    pub at: Timestamp,
}

/// Exports the policy, and records that it was.
///
/// # Errors
/// `Invalid` for a moment that the history does not have, and for numbers and cursors that are none.
pub async fn export(app: &App, caller: &Caller, wanted: Wanted) -> Result<Document> {
    let limit = wanted.holders.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        let fault = Fault::parameter("holders", "range", format!("must be between 1 and {MOST}"));
        return Err(Error::Invalid(vec![fault]));
    }
    let cursor = wanted.after.as_deref().map(Cursor::parse).transpose()?;
    if let (Some(cursor), Some(as_of)) = (&cursor, wanted.as_of)
        && cursor.at != as_of.trunc_subsecs(6)
    {
        return Err(no_cursor());
    }
    let as_of = cursor.as_ref().map(|cursor| cursor.at).or(wanted.as_of).map(|as_of| as_of.trunc_subsecs(6));
    let present = cursor.as_ref().map_or(wanted.as_of.is_none(), |cursor| cursor.present);
    let organization = caller.organization().or(wanted.organization);
    app.sessions.keys().caught_up(&caller.origin).await?;
    let tx = app.db.write(caller).await?;
    let beginning = history::beginning(&tx, organization).await?;
    if let Some(as_of) = as_of {
        history::within("as_of", as_of, beginning, caller.now())?;
    }
    let (revision, map) = policy_at(app, &tx, as_of).await?;
    let after = cursor.map_or((Uuid::nil(), Uuid::nil()), |cursor| (cursor.organization, cursor.id));
    let asked = Asked { organization, at: as_of, present, after, most: limit + 1 };
    let mut held = match wanted.format {
        Format::Csv(Part::Operations) => Vec::new(),
        Format::Json | Format::Csv(Part::Holders) => holders::list(app, &tx, asked, &map.hierarchy()?).await?,
    };
    let at = as_of.unwrap_or(caller.now());
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = held.len() > most;
    held.truncate(most);
    let last = held.last().filter(|_| more);
    let next = last.map(|last| Cursor { at, present, organization: last.organization, id: last.id }.encode());
    let named = held.iter().flat_map(|holder| holder.custom.iter().map(|grant| grant.id)).collect();
    let custom = match wanted.format {
        Format::Json => custom::roles(app, &tx, organization.map(Uuid::from), named, as_of).await?,
        Format::Csv(_) => Vec::new(),
    };
    let text = match wanted.format {
        Format::Csv(Part::Operations) => sheet::operations(&map)?,
        Format::Csv(Part::Holders) => sheet::holders(&held)?,
        Format::Json => canonical(&json!({
            "format": "freehold-policies/1",
            "issuer": &*app.public_url,
            "organization_id": organization,
            "as_of": as_of.map(moment),
            "history_since": moment(beginning),
            "revision": {
                "number": revision.number, "sha256": hex(&revision.digest), "files_sha256": map.files_sha256,
                "since": moment(revision.since), "release": revision.release,
            },
            "roles": map.roles,
            "operations": map.operations,
            "custom_roles": custom.iter().map(CustomRole::json).collect::<Vec<Value>>(),
            "holders": held.iter().map(holders::Holder::json).collect::<Vec<Value>>(),
            "next_after": next,
        })),
    };
    let digest: [u8; 32] = Sha256::digest(&text).into();
    let signature = app.sessions.keys().sign_detached(wanted.format.content(), text.as_bytes(), caller.now())?;
    let kind = if caller.organization().is_some() { Kind::PolicyExported } else { Kind::PlatformPolicyExported };
    let event = Event::without_target(kind).with("policy_export", hex(&digest)).with("revision", revision.number);
    let event = event.with("holders", held.len()).with("as_of", as_of.map(moment));
    tx.commit(event).await?;
    Ok(Document { text, digest, signature, next, at })
}

/// The policy in force at a moment. Now that is what this instance enforces, whatever others do.
///
/// # Errors
/// When the database fails.
pub(super) async fn policy_at(app: &App, tx: &Tx, at: Option<Timestamp>) -> Result<(Revision, Read)> {
    let revision = match at {
        None => revisions::of_digest(tx, app.map.digest).await?,
        Some(_) => revisions::at(tx, at).await?,
    };
    let revision = revision.ok_or_else(|| Error::internal("the policy has no revision"))?;
    let map = Read::parse(if at.is_none() { &app.map.text } else { &revision.map })?;
    Ok((revision, map))
}

/// The revision of the policy that this instance enforces.
#[derive(Clone, Debug)]
pub struct InForce {
    /// Its number.
    pub number: i32,
    /// SHA-256 of its map, in hexadecimal.
    pub sha256: String,
    /// Since when it is in force.
    pub since: Timestamp,
}

/// The revision of the policy that this instance enforces.
///
/// # Errors
/// When the database fails.
pub async fn in_force(app: &App, tx: &Tx) -> Result<InForce> {
    let revision = revisions::of_digest(tx, app.map.digest).await?;
    let revision = revision.ok_or_else(|| Error::internal("the policy has no revision"))?;
    Ok(InForce { number: revision.number, sha256: hex(&revision.digest), since: revision.since })
}

impl Format {
    /// The media type, as a JWS names it in `cty`.
    const fn content(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv(_) => "text/csv",
        }
    }
}

/// Where a document ended, and as of when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub at: Timestamp,
    /// Whether it says how things are, and not how they were.
    pub present: bool,
    pub organization: Uuid,
    pub id: Uuid,
}

impl Cursor {
    fn encode(self) -> String {
        let at = self.at.timestamp_micros().to_be_bytes();
        let parts = [&at[..], &[self.present.into()], self.organization.as_bytes(), self.id.as_bytes()];
        URL_SAFE_NO_PAD.encode(parts.concat())
    }

    fn parse(text: &str) -> Result<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| no_cursor())?;
        let (at, rest) = bytes.split_first_chunk::<8>().ok_or_else(no_cursor)?;
        let (present, rest) = rest.split_first().filter(|(present, _)| **present <= 1).ok_or_else(no_cursor)?;
        let (organization, id) = rest.split_first_chunk::<16>().ok_or_else(no_cursor)?;
        Ok(Self {
            at: DateTime::from_timestamp_micros(i64::from_be_bytes(*at)).ok_or_else(no_cursor)?,
            present: *present == 1,
            organization: Uuid::from_bytes(*organization),
            id: Uuid::from_slice(id).map_err(|_| no_cursor())?,
        })
    }
}

fn no_cursor() -> Error {
    Error::Invalid(vec![Fault::parameter("after", "format", "is not what a document gave, or of another moment")])
}
