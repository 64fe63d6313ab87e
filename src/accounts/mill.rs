//! Argon2id in memory that is used again. New memory for each hash has to be emptied by the system first, which costs a
//! good part of the hash itself.

use argon2::{Algorithm, Argon2, Block, Params, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use subtle::ConstantTimeEq;

use super::stored::{Stored, is_bcrypt};

/// What one hashing thread works with.
pub(super) struct Mill {
    /// The algorithm, for new hashes.
    pub(super) argon2: Argon2<'static>,
    memory: Vec<Block>,
}

impl Mill {
    /// A mill without memory yet.
    pub(super) fn new(params: Params) -> Self {
        Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params), memory: Vec::new() }
    }

    /// Whether this is the password of the hash.
    pub(super) fn verify(&mut self, password: &[u8], hash: &Stored) -> bool {
        match hash {
            Stored::Bcrypt(hash) => is_bcrypt(password, hash),
            Stored::Argon2(hash) => self
                .verify_in_memory(password, hash)
                // Of other parameters or another kind: made before, or elsewhere.
                .unwrap_or_else(|| self.argon2.verify_password(password, &**hash).is_ok()),
        }
    }

    /// The same, for a hash with our own parameters.
    fn verify_in_memory(&mut self, password: &[u8], hash: &PasswordHash) -> Option<bool> {
        let ours = hash.algorithm == Algorithm::Argon2id.ident() && hash.version == Some(Version::V0x13.into());
        let params = self.argon2.params().clone();
        let theirs = Params::try_from(hash).ok()?;
        let same =
            (params.m_cost(), params.t_cost(), params.p_cost()) == (theirs.m_cost(), theirs.t_cost(), theirs.p_cost());
        let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        if !ours || !same || expected.as_bytes().len() != output.len() {
            return None;
        }
        self.memory.resize(params.block_count(), Block::new());
        self.argon2.hash_password_into_with_memory(password, salt.as_ref(), &mut output, &mut self.memory).ok()?;
        Some(output.ct_eq(expected.as_bytes()).into())
    }

    /// Gives the memory back.
    pub(super) fn rest(&mut self) {
        self.memory = Vec::new();
    }
}
