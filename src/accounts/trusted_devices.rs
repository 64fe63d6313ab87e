//! A person's trusted devices: which there are, and trusting them no more (MFA-4).

use entity::TrustedDeviceId;

use super::reauthentication::own;
use crate::{
    app::App,
    audit::{Event, Kind},
    error::{Error, Result},
    mfa::trusted::{self, TrustedDevice},
    types::{Caller, Page, PageRequest},
};

/// The caller's trusted devices, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller, page: PageRequest) -> Result<Page<TrustedDevice>> {
    let tx = app.db.read(caller).await?;
    trusted::list(&tx, &app.vault, own(caller)?.0, page).await
}

/// Trusts one of the caller's devices no more.
///
/// # Errors
/// `NotFound` when the caller trusts no device of this id.
pub async fn revoke(app: &App, caller: &Caller, device: TrustedDeviceId) -> Result<()> {
    let (tx, (id, _)) = (app.db.write(caller).await?, own(caller)?);
    if !trusted::revoke(&tx, id, device).await? {
        return Err(Error::not_found());
    }
    tx.commit(Event::new(Kind::TrustedDeviceRevoked, device)).await
}

/// Trusts none of the caller's devices any more.
///
/// # Errors
/// When the database fails.
pub async fn revoke_all(app: &App, caller: &Caller) -> Result<()> {
    let (tx, (id, _)) = (app.db.write(caller).await?, own(caller)?);
    let devices = trusted::revoke_all(&tx, id).await?;
    tx.commit(Event::new(Kind::TrustedDevicesRevoked, id).with("devices", devices)).await
}
