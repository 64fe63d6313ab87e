//! Secret values: text and bytes that are wiped from memory when dropped and that nothing prints
//! by accident. They have neither `Debug` nor `Display` nor `Serialize`, so a log line or a
//! problem document with one of them doesn't compile. [`SecretString::expose`] is the one word to
//! grep for. Never decides what a secret is for.

use std::io;

use zeroize::Zeroizing;

/// A secret text: a connection URL with its password, a token before it is hashed.
#[derive(Clone)]
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// Takes over the text; the caller's copy, if there is one, is the caller's to wipe.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text in clear, to be handed on and never kept, logged or formatted.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Secret bytes: a key, a random seed.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes over the bytes; the caller's copy, if there is one, is the caller's to wipe.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// 32 random bytes from the operating system: a key for AES-256, a password nobody guesses.
    ///
    /// # Errors
    /// The operating system has none.
    pub fn random() -> io::Result<Self> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        #[expect(clippy::disallowed_methods, reason = "secrets made before the server's Entropy exists")]
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(Self::new(bytes.as_slice()))
    }

    /// The bytes in clear, to be handed on and never kept, logged or formatted.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}
