//! The letters that servers without SMTP write into files, read one by one.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Mutex,
};

use freehold::mail::files;

use super::{PATIENCE, eventually, token_of};

/// The letters of one database's servers.
pub struct Mailbox {
    folder: PathBuf,
    taken: Mutex<HashSet<String>>,
}

/// A letter.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The subject.
    pub subject: String,
    /// The text version.
    pub text: String,
}

impl Mailbox {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, taken: Mutex::default() }
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many letters to an address there are, taken or not.
    pub async fn count(&self, email: &str) -> usize {
        self.list(email).await.len()
    }

    /// How many letters to an address have a word in their subject.
    pub async fn count_with(&self, email: &str, word: &str) -> usize {
        self.texts(email, word).await.len()
    }

    /// What the letters to an address say that have a word in their subject, the oldest first.
    pub async fn texts(&self, email: &str, word: &str) -> Vec<String> {
        let mut letters = self.list(email).await;
        letters.reverse();
        let mut texts = Vec::new();
        for letter in letters.into_iter().filter(|letter| letter.subject.contains(word)) {
            texts.push(files::read(self.folder.clone(), letter.id).await.unwrap().1);
        }
        texts
    }

    /// Takes the oldest letter to an address that was not taken yet; waits for it.
    pub async fn take(&self, email: &str) -> Letter {
        let what = format!("a letter to {email}");
        let next = eventually(&what, PATIENCE, async || {
            let mut letters = self.list(email).await;
            letters.reverse();
            let mut taken = self.taken.lock().unwrap();
            letters.into_iter().find(|letter| taken.insert(letter.id.to_string()))
        })
        .await;
        let (filed, text) = files::read(self.folder.clone(), next.id).await.unwrap();
        Letter { subject: filed.subject, text }
    }

    /// The token of the link in the next letter to an address.
    pub async fn take_token(&self, email: &str) -> String {
        self.take(email).await.token()
    }

    async fn list(&self, email: &str) -> Vec<files::Filed> {
        let all = files::list(self.folder.clone(), usize::MAX).await.unwrap();
        all.into_iter().filter(|letter| letter.to.contains(email)).collect()
    }
}

impl Letter {
    /// The token of the link.
    pub fn token(&self) -> String {
        token_of(&self.text)
    }
}
