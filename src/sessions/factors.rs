//! With which factors a session began, or has been proven since (RFC 8176), as words in its row. The way that it began in
//! stays: an organisation may not allow another.

use chrono::TimeDelta;
use entity::AccountId;
use uuid::Uuid;

use crate::{db::WriteTx, error::Result};

/// What they say of a second factor that was proven by e-mail, in the place of `mfa`: whether that counts as one is decided
/// where one is demanded (MFA-2). RFC 8176 has no word for it.
pub const WEAK: &str = "email";
/// What they say of a session that was begun in a trusted device. RFC 8176 has no word for it.
pub const DEVICE: &str = "device";
/// How long ago somebody counts as having proven who they are whose way in is no such proof: no window reaches back to it,
/// because the longest is an hour.
pub const LONG_AGO: TimeDelta = TimeDelta::days(14);

/// The factors of a session that began with `began`, once `used` have been proven in it.
pub(super) fn proven(began: &str, used: &[&str]) -> String {
    let has = |factor| began.split(' ').any(|word| word == factor);
    // A session that has used a strong factor is worth no less for a weak one.
    if has("mfa") && used.contains(&WEAK) {
        return began.to_owned();
    }
    match (has("pwd"), has("mfa")) {
        (true, _) => used.join(" "),
        (false, true) => began.to_owned(),
        (false, false) => {
            let second = if used.contains(&WEAK) { WEAK } else { "mfa" };
            let way = began.split(' ').filter(|word| *word != WEAK);
            way.chain([second]).collect::<Vec<_>>().join(" ")
        }
    }
}

/// What is left of the factors of an account's sessions when it has no second one any more.
const WITHOUT_SECOND: &str = "
    UPDATE sessions
    SET factors = CASE WHEN factors LIKE 'pwd %' THEN 'pwd' ELSE regexp_replace(factors, ' (mfa|email)$', '') END
    WHERE account_id = $1 AND ended_at IS NULL AND (factors LIKE 'pwd %' OR factors ~ ' (mfa|email)$')";

/// Lets the sessions of an account count as begun with one factor alone: its second factor has been removed.
///
/// # Errors
/// When the database fails.
pub async fn without_second_factor(tx: &WriteTx, account: AccountId) -> Result<()> {
    tx.execute(WITHOUT_SECOND, [Uuid::from(account).into()]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves MFA-5, AUT-10.
    #[test]
    fn a_proof_leaves_the_way_that_a_session_began_in() {
        assert_eq!(proven("pwd", &["pwd", "otp", "mfa"]), "pwd otp mfa");
        assert_eq!(proven("pwd otp mfa", &["pwd", "pop", "mfa"]), "pwd pop mfa");
        assert_eq!(proven("pop user mfa", &["pwd", "otp", "mfa"]), "pop user mfa");
        assert_eq!(proven("pop user", &["pwd", "otp", "mfa"]), "pop user mfa");
        assert_eq!(proven("pwd otp mfa", &["pwd", "otp", WEAK]), "pwd otp mfa");
        assert_eq!(proven("pop user", &["pwd", "otp", WEAK]), "pop user email");
        assert_eq!(proven("pop user email", &["pwd", "otp", WEAK]), "pop user email");
        assert_eq!(proven("pop user email", &["pwd", "otp", "mfa"]), "pop user mfa");
        assert_eq!(proven("pwd", &["pwd", "otp", WEAK]), "pwd otp email");
        assert_eq!(proven("pwd device mfa", &["pwd", "otp", "mfa"]), "pwd otp mfa");
    }
}
