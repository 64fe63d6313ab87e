//! Argon2id in memory that is used again. New memory for each hash has to be emptied by the system first, which costs a
//! good part of the hash itself.

use argon2::{Algorithm, Argon2, Block, Params, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use subtle::ConstantTimeEq;

use super::stored::{Stored, is_bcrypt};
use crate::{
    error::{Error, Result},
    runtime::Entropy,
};

/// The bytes of a salt (RFC 9106, 3.1).
const SALT: usize = 16;
const DIGEST: usize = Params::DEFAULT_OUTPUT_LEN;

/// What one hashing thread works with.
pub(super) struct Mill {
    /// The algorithm, for new hashes.
    argon2: Argon2<'static>,
    memory: Vec<Block>,
}

impl Mill {
    /// A mill without memory yet.
    pub(super) fn new(params: Params) -> Self {
        Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params), memory: Vec::new() }
    }

    /// Hashes a password, with a fresh salt, into a PHC string.
    ///
    /// # Errors
    /// When the operating system has no entropy.
    pub(super) fn hash(&mut self, password: &[u8]) -> Result<String> {
        let salt = Entropy.bytes::<SALT>()?;
        let digest = self.digest(password, &salt).map_err(Error::internal)?;
        Ok(phc(self.argon2.params(), &salt, &digest))
    }

    fn digest(&mut self, password: &[u8], salt: &[u8]) -> argon2::Result<[u8; DIGEST]> {
        let mut digest = [0; DIGEST];
        self.memory.resize(self.argon2.params().block_count(), Block::new());
        self.argon2.hash_password_into_with_memory(password, salt, &mut digest, &mut self.memory)?;
        Ok(digest)
    }

    /// Whether this is the password of the hash.
    pub(super) fn verify(&mut self, password: &[u8], hash: &Stored) -> bool {
        match hash {
            Stored::Bcrypt(hash) => is_bcrypt(password, hash),
            Stored::Argon2(hash) => self.verify_in_memory(password, hash).unwrap_or_else(|| {
                // Of other parameters or another kind: made before, or elsewhere. It takes memory of its own.
                self.rest();
                self.argon2.verify_password(password, &**hash).is_ok()
            }),
        }
    }

    /// The same, for a hash with our own parameters.
    fn verify_in_memory(&mut self, password: &[u8], hash: &PasswordHash) -> Option<bool> {
        let ours = hash.algorithm == Algorithm::Argon2id.ident() && hash.version == Some(Version::V0x13.into());
        let params = self.argon2.params();
        let theirs = Params::try_from(hash).ok()?;
        let same =
            (params.m_cost(), params.t_cost(), params.p_cost()) == (theirs.m_cost(), theirs.t_cost(), theirs.p_cost());
        let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
        if !ours || !same || expected.as_bytes().len() != DIGEST {
            return None;
        }
        Some(self.digest(password, salt.as_ref()).ok()?.ct_eq(expected.as_bytes()).into())
    }

    /// Spends what a hash of ours costs more than this one, so that a wrong password takes as long for an account whose
    /// hash is of lesser parameters as for an address without an account.
    pub(super) fn make_up(&mut self, hash: &Stored) {
        let Stored::Argon2(hash) = hash else { return };
        let lacking = Params::try_from(&**hash).ok().and_then(|theirs| lacking(self.argon2.params(), &theirs));
        let Some(params) = lacking else { return };
        self.memory.resize(params.block_count(), Block::new());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut digest = [0; DIGEST];
        if let Err(error) = argon2.hash_password_into_with_memory(&[], &[0; SALT], &mut digest, &mut self.memory) {
            tracing::warn!(%error, "the time that a lesser hash takes less could not be made up");
        }
    }

    /// Gives the memory back.
    pub(super) fn rest(&mut self) {
        self.memory = Vec::new();
    }
}

/// What a hash looks like, in PHC format.
pub(super) fn phc(params: &Params, salt: &[u8], digest: &[u8]) -> String {
    let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    let [salt, digest] = [salt, digest].map(|bytes| STANDARD_NO_PAD.encode(bytes));
    format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${digest}")
}

/// The hash of no password: nobody's.
pub(super) fn of_nobody(params: &Params) -> String {
    phc(params, &[0; SALT], &[0; DIGEST])
}

/// Parameters that go over as much memory as ours do more than theirs, which is what a hash takes its time for; `None`
/// where that is nothing, or too little for a hash.
fn lacking(ours: &Params, theirs: &Params) -> Option<Params> {
    let work = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
    let memory = work(ours).saturating_sub(work(theirs)) / u64::from(ours.t_cost());
    Params::new(u32::try_from(memory).ok()?, ours.t_cost(), ours.p_cost(), None).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(memory: u32, passes: u32) -> Params {
        Params::new(memory, passes, 1, None).unwrap()
    }

    /// Proves AUT-5.
    #[test]
    fn what_lesser_parameters_take_less_is_made_up() {
        let ours = params(65_536, 3);
        for theirs in [params(19_456, 2), params(47_104, 1), params(7_168, 5), params(65_536, 2)] {
            let more = lacking(&ours, &theirs).unwrap();
            let work = |params: &Params| params.m_cost() * params.t_cost();
            let all = work(&theirs) + work(&more);
            assert!(all <= work(&ours) && all + ours.t_cost() > work(&ours), "{all}");
        }
        assert!(lacking(&ours, &ours).is_none());
        assert!(lacking(&ours, &params(65_536, 4)).is_none());
    }

    /// Proves AUT-1.
    #[test]
    fn all_that_is_hashed_and_verified_is_in_the_same_memory() {
        let mut mill = Mill::new(params(64, 1));
        let hash = mill.hash(b"Correct-horse-7").unwrap();
        let held = |mill: &Mill| (mill.memory.as_ptr(), mill.memory.len());
        let before = held(&mill);
        let stored = |hash: &str| Stored::parse(hash).unwrap();
        assert!(mill.verify(b"Correct-horse-7", &stored(&hash)));
        assert!(!mill.verify(b"Correct-horse-8", &stored(&hash)));
        assert!(!mill.verify(b"Correct-horse-7", &stored(&of_nobody(&params(64, 1)))));
        assert_ne!(mill.hash(b"Correct-horse-7").unwrap(), hash);
        assert_eq!(held(&mill), before);
        // What takes memory of its own does not take it beside ours.
        let other = Mill::new(params(32, 1)).hash(b"Correct-horse-7").unwrap();
        assert!(mill.verify(b"Correct-horse-7", &stored(&other)));
        assert!(mill.memory.is_empty());
        mill.make_up(&stored(&other));
        assert_eq!(mill.memory.len(), params(32, 1).block_count());
    }
}
