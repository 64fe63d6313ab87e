//! Password hashes as they are stored: ours, and those that an import brought from elsewhere. What one may cost is
//! bounded when it comes in: a hash with absurd parameters would let whoever knows one address keep every hashing
//! thread busy.

use argon2::{
    Algorithm, Params, Version,
    password_hash::phc::{Ident, PasswordHash},
};

/// The costs that bcrypt has.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=31;
/// The greatest of them that is taken: it takes some two seconds on one core, which is what one attempt to sign in can
/// keep a thread busy for. Each step doubles that.
const MOST_BCRYPT: u32 = 15;
/// The bytes of a bcrypt hash, `$2b$10$` and 53 characters of salt and digest.
const BCRYPT_LENGTH: usize = 60;
/// The most memory of an Argon2 hash in KiB: 256 MiB, four times what ours has unless the configuration says otherwise.
const MOST_MEMORY: u32 = 256 * 1024;
/// The most memory that it goes over in all passes, in KiB: 1 GiB takes more than half a second.
const MOST_WORK: u64 = 1024 * 1024;
/// The most lanes. They cost nothing more, but are reckoned with in memory.
const MOST_LANES: u32 = 16;
/// The bytes of salt and digest that are taken (RFC 9106, 3.1, has at least 4 for a digest, which anybody would guess).
const SALT: std::ops::RangeInclusive<usize> = 8..=48;
const DIGEST: std::ops::RangeInclusive<usize> = 16..=64;
/// Where bcrypt ends a password.
const BCRYPT_LONGEST: usize = 72;

/// A hash that is understood.
#[derive(Debug)]
pub(super) enum Stored {
    /// `$2a$`, `$2b$` or `$2y$`, which are the same today.
    Bcrypt(String),
    /// Argon2 in any of its kinds, in PHC format.
    Argon2(Box<PasswordHash>),
}

/// Why a hash is not taken: a stable word for the report of an import.
pub type HashFault = &'static str;

impl Stored {
    /// Reads a hash.
    ///
    /// # Errors
    /// `unknown_hash` for what is none of the kinds.
    pub(super) fn parse(text: &str) -> Result<Self, HashFault> {
        if ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) {
            return bcrypt_cost(text).map(|_| Self::Bcrypt(text.to_owned()));
        }
        PasswordHash::new(text).map(|hash| Self::Argon2(Box::new(hash))).map_err(|_| "unknown_hash")
    }

    /// Whether it is what this installation makes of passwords now.
    pub(super) fn is_ours(&self, ours: &Params) -> bool {
        let Self::Argon2(hash) = self else { return false };
        let same = Params::try_from(&**hash).is_ok_and(|theirs| {
            let costs = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
            costs(&theirs) == costs(ours)
        });
        let digest = hash.hash.as_ref().is_some_and(|hash| hash.as_bytes().len() == Params::DEFAULT_OUTPUT_LEN);
        same && digest && hash.algorithm == Algorithm::Argon2id.ident() && hash.version == Some(Version::V0x13.into())
    }
}

/// Whether this is the password of a bcrypt hash. As in the original, a password ends at its first NUL and after 72
/// bytes; what follows never counted for the tool that made the hash either.
pub(super) fn is_bcrypt(password: &[u8], hash: &str) -> bool {
    let end = password.iter().position(|byte| *byte == 0).unwrap_or(password.len()).min(BCRYPT_LONGEST);
    let password = password.get(..end).unwrap_or_default();
    bcrypt::verify(password, hash).unwrap_or(false)
}

/// Whether a hash from elsewhere can be taken.
///
/// # Errors
/// `unknown_hash` for what is none of the kinds, `hash_too_costly` and `hash_too_weak` beyond the bounds.
pub fn check_hash(text: &str) -> Result<(), HashFault> {
    match Stored::parse(text)? {
        Stored::Argon2(hash) => within_bounds(&hash),
        Stored::Bcrypt(hash) if bcrypt_cost(&hash)? > MOST_BCRYPT => Err("hash_too_costly"),
        Stored::Bcrypt(_) => Ok(()),
    }
}

fn bcrypt_cost(text: &str) -> Result<u32, HashFault> {
    let cost = text.get(4..6).filter(|cost| cost.bytes().all(|digit| digit.is_ascii_digit()));
    let cost = cost.and_then(|cost| cost.parse().ok()).filter(|cost| BCRYPT_COSTS.contains(cost));
    let digits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
    let tail = text.get(7..).is_some_and(|tail| tail.bytes().all(digits)) && text.get(6..7) == Some("$");
    let whole = text.len() == BCRYPT_LENGTH && tail && text.parse::<bcrypt::HashParts>().is_ok();
    cost.filter(|_| whole).ok_or("unknown_hash")
}

fn within_bounds(hash: &PasswordHash) -> Result<(), HashFault> {
    let kinds: [Ident; 3] = [Algorithm::Argon2d.ident(), Algorithm::Argon2i.ident(), Algorithm::Argon2id.ident()];
    // A hash without a version is of the first one, which the library would take for the second (RFC 9106, 3.1).
    let version = hash.version.is_some_and(|version| [0x10, 0x13].contains(&version));
    if !kinds.contains(&hash.algorithm) || !version {
        return Err("unknown_hash");
    }
    let params = Params::try_from(hash).map_err(|_| "unknown_hash")?;
    if !params.keyid().is_empty() || !params.data().is_empty() {
        // Made with a secret that is not here.
        return Err("unknown_hash");
    }
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if params.m_cost() > MOST_MEMORY || params.p_cost() > MOST_LANES || work > MOST_WORK {
        return Err("hash_too_costly");
    }
    let (salt, digest) = hash.salt.as_ref().zip(hash.hash.as_ref()).ok_or("unknown_hash")?;
    if !SALT.contains(&salt.as_ref().len()) || !DIGEST.contains(&digest.as_bytes().len()) {
        return Err("hash_too_weak");
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The password of the hashes below.
    pub const PASSWORD: &str = "Correct-horse-battery-7";
    /// One with characters of two bytes.
    pub const UMLAUTS: &str = "Zoë-grüßt-Ü-7-langes";

    /// Hashes of [`PASSWORD`] made by the tools that people come from. By `htpasswd -nbB -C 5 u PASSWORD` of Debian's
    /// apache2-utils 2.4.71; by `bcrypt.hashpw(PASSWORD, bcrypt.gensalt(5, prefix))` of Python's bcrypt 5.0.0; by
    /// `PasswordHasher(time_cost=2, memory_cost=128, parallelism=2, type=…).hash(PASSWORD)` and `PasswordHasher().hash(…)`
    /// of argon2-cffi 25.1.0.
    pub const FOREIGN: [(&str, &str); 7] = [
        ("htpasswd", "$2y$05$16FfyN7aTGMwQkRCjAmQNe6xyK7Ro5awjHvCpO956pEpkWe.e1Qxa"),
        ("Python 2b", "$2b$05$E73ts0xb2Rnh10Ph1Oqs8eqhVjla1Q05PgSNyAHaig/LXnW9cXFcy"),
        ("Python 2a", "$2a$05$cpbTdCKuhVoiVvCBdwmI0OJ/pXj0an4jgwPTRtPG.G7rs2P7FZwSS"),
        (
            "argon2-cffi id",
            "$argon2id$v=19$m=128,t=2,p=2$4GDOk6HFR6A0WTVjUiIm5A$gGzYTokhHX2DsN35/1062Uv8kxj2yHVINxrFlRx9rzo",
        ),
        (
            "argon2-cffi i",
            "$argon2i$v=19$m=128,t=2,p=2$XUJ10GkvOWwszZ/Z0t3H/A$nnzW3untufDUhNIHc1wkEI1jNxRWCHct45J8NPVWCl0",
        ),
        (
            "argon2-cffi d",
            "$argon2d$v=19$m=128,t=2,p=2$MSJZdgXebd6u2CPDmxJ0cA$ZoNHXNqwWi+TY1jrkTn5cPRIJyUqqgbxNJV4DddH1k4",
        ),
        (
            "argon2-cffi as it comes",
            "$argon2id$v=19$m=65536,t=3,p=4$daiNS4Ty+aTPYIGx3mVYrw$eVggxCtsrMgznmlb4+TV/HXU+nYt5u/WcvTlVu2Z+08",
        ),
    ];
    /// Python's bcrypt, of [`UMLAUTS`] in UTF-8.
    pub const OF_UMLAUTS: &str = "$2b$05$kDXa5kgCg/pX9uaDdH4Ol.dfiRefUPGyKWCC4038HwFF/i6QsbjVi";
    /// htpasswd, of `Aa1-` twenty times: eight bytes more than bcrypt looks at.
    pub const OF_EIGHTY_BYTES: &str = "$2y$05$Hn806ey36c/vD0u4rIZ09.izAe5Zu2Jpe9l1YBrWV..OxDecGt9GW";

    #[test]
    fn a_hash_that_would_cost_too_much_or_says_too_little_is_not_taken() {
        let digest = "E73ts0xb2Rnh10Ph1Oqs8eqhVjla1Q05PgSNyAHaig/LXnW9cXFcy";
        let (salt, tag) = ("4GDOk6HFR6A0WTVjUiIm5A", "gGzYTokhHX2DsN35/1062Uv8kxj2yHVINxrFlRx9rzo");
        let argon2 = |kind: &str, costs: &str| format!("${kind}$v=19${costs}${salt}${tag}");
        for (hash, fault) in [
            (format!("$2b$16${digest}"), "hash_too_costly"),
            (format!("$2b$31${digest}"), "hash_too_costly"),
            (format!("$2b$99${digest}"), "unknown_hash"),
            (format!("$2b$03${digest}"), "unknown_hash"),
            (format!("$2b$+5${digest}"), "unknown_hash"),
            (format!("$2x$05${digest}"), "unknown_hash"),
            (format!("$2b$05${digest}x"), "unknown_hash"),
            ("$2b$05$é".to_owned(), "unknown_hash"),
            (argon2("argon2id", "m=4194304,t=1,p=1"), "hash_too_costly"),
            (argon2("argon2id", "m=65536,t=4294967295,p=1"), "hash_too_costly"),
            (argon2("argon2id", "m=65536,t=1,p=64"), "hash_too_costly"),
            (argon2("argon2id", "m=1,t=1,p=1"), "unknown_hash"),
            (argon2("argon2id", "m=99999999999,t=1,p=1"), "unknown_hash"),
            (argon2("argon2x", "m=128,t=2,p=2"), "unknown_hash"),
            (format!("$argon2id$v=19$m=128,t=2,p=2${salt}$Zm9vYmFyYmF6Zm9v"), "hash_too_weak"),
            (format!("$argon2id$m=128,t=2,p=2${salt}${tag}"), "unknown_hash"),
            ("$1$salt$qJH7.N4xYta3aEG/dfqo/0".to_owned(), "unknown_hash"),
            ("5f4dcc3b5aa765d61d8327deb882cf99".to_owned(), "unknown_hash"),
            (String::new(), "unknown_hash"),
        ] {
            assert_eq!(check_hash(&hash).err(), Some(fault), "{hash}");
        }
        for (tool, hash) in FOREIGN {
            assert!(check_hash(hash).is_ok(), "{tool}");
        }
    }
}
