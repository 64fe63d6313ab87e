//! Passwords: what is good enough (AUT-2), and hashing them with Argon2id (AUT-1).
//!
//! Hashing is slow and hungry by intent. It runs on a few threads of its own at the lowest priority behind a bounded
//! queue, so that a storm of sign-ins neither exhausts memory nor slows other requests.
//!
//! A password is hashed in Unicode's normalisation form C, whichever form a keyboard made of it: `ë` is one character
//! or two, by the system that it was typed on (NIST SP 800-63B-4, 3.1.1.2).

mod common;
mod policy;
mod strength;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use argon2::Params;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
pub use policy::{LONGEST, Rules, STRONGEST, Verdict};
use thread_priority::{ThreadBuilder, ThreadPriority};
use tokio::sync::oneshot;

use super::{
    mill::{Mill, of_nobody},
    stored::Stored,
};
use crate::{
    config::{self, SecretString},
    error::{Error, Result},
    types::nfc,
};

/// When to come back while the queue is full: about when all that waits in it is done.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How long somebody waits for a hash at most: well before browsers, services and load balancers give up by themselves
/// (nginx and the clouds' after 60 s), so that they are told when to come again.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// After how long without work a thread gives its memory back.
const REST: Duration = Duration::from_secs(1);

type Work = Box<dyn FnOnce(&mut Mill) + Send>;

/// The hashing pool. Cheap to clone; the threads end with the last clone.
#[derive(Clone)]
pub struct Passwords {
    queue: Sender<Work>,
    /// The hash of no password, to spend the same time on an account that does not exist.
    nobody: Arc<str>,
    params: Params,
}

impl Passwords {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the parameters are not possible or a thread can't be started.
    pub fn start(settings: &config::Passwords) -> Result<Self> {
        let params = Params::new(settings.memory_kib, settings.iterations, settings.parallelism, None)
            .map_err(Error::internal)?;
        let (queue, work) = bounded::<Work>(settings.queue);
        for number in 0..settings.workers {
            let (work, mut mill) = (work.clone(), Mill::new(params.clone()));
            ThreadBuilder::default()
                .name(format!("hash-{number}"))
                .priority(ThreadPriority::Min)
                // Lower priority is a courtesy: where the system refuses it, hashing goes on without.
                .spawn_careless(move || serve(&work, &mut mill))
                .map_err(Error::internal)?;
        }
        Ok(Self { queue, nobody: of_nobody(&params).into(), params })
    }

    /// Whether a hash is not what would be made of its password now: of another tool, or of other parameters.
    pub(super) fn is_outdated(&self, hash: &str) -> bool {
        Stored::parse(hash).is_ok_and(|stored| !stored.is_ours(&self.params))
    }

    /// Hashes a password, with a fresh salt, into a PHC string.
    ///
    /// # Errors
    /// `Upstream` when the queue is full, or was too slow.
    pub async fn hash(&self, password: SecretString) -> Result<String> {
        let password = normalised(&password);
        self.run(move |mill| mill.hash(password.expose().as_bytes())).await?
    }

    /// Whether this is the password of the hash. Without a hash it takes the same time and is `false`.
    ///
    /// # Errors
    /// `Upstream` when the queue is full, or was too slow.
    pub async fn verify(&self, password: SecretString, hash: Option<&str>) -> Result<bool> {
        let real = hash.is_some();
        let hash = hash.map_or_else(|| self.nobody.to_string(), str::to_owned);
        let matches = self
            .run(move |mill| {
                let hash = Stored::parse(&hash).map_err(Error::internal)?;
                let matches = is_of(mill, &password, &hash);
                if !matches {
                    mill.make_up(&hash);
                }
                Ok::<_, Error>(matches)
            })
            .await??;
        Ok(real && matches)
    }

    /// Whether this is the password of one of the hashes. They wait in the queue as one.
    ///
    /// # Errors
    /// `Upstream` when the queue is full, or was too slow.
    pub(super) async fn is_of_any(&self, password: SecretString, hashes: Vec<String>) -> Result<bool> {
        self.run(move |mill| {
            for hash in &hashes {
                if is_of(mill, &password, &Stored::parse(hash).map_err(Error::internal)?) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&mut Mill) -> T + Send + 'static) -> Result<T> {
        self.run_within(LONGEST_WAIT, work).await
    }

    async fn run_within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&mut Mill) -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |mill| {
            // Whoever asked may have hung up before the work began, or since.
            if answer.is_closed() {
                return;
            }
            drop(answer.send(work(mill)));
        });
        match self.queue.try_send(work) {
            // Whoever gives up drops what it would be answered with, and the work is not begun.
            Ok(()) => match tokio::time::timeout(limit, answered).await {
                Ok(answer) => answer.map_err(|_| Error::internal("a hashing thread gave no answer")),
                Err(_) => Err(busy("the hashing queue is slow")),
            },
            Err(TrySendError::Full(_)) => Err(busy("the hashing queue is full")),
            Err(TrySendError::Disconnected(_)) => Err(Error::internal("the hashing threads have ended")),
        }
    }
}

fn busy(reason: &str) -> Error {
    Error::Upstream { reason: reason.to_owned(), retry_after: RETRY_AFTER }
}

fn is_of(mill: &mut Mill, password: &SecretString, hash: &Stored) -> bool {
    let mut is = |text: &SecretString| mill.verify(text.expose().as_bytes(), hash);
    let normal = normalised(password);
    // As it was typed too: hashes were once made of that.
    is(&normal) || (normal.expose() != password.expose() && is(password))
}

fn serve(work: &Receiver<Work>, mill: &mut Mill) {
    loop {
        let work = match work.recv_timeout(REST) {
            Ok(work) => work,
            Err(RecvTimeoutError::Timeout) => {
                mill.rest();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        // Whoever waits for this work gets an error, because its answer is dropped; the thread goes on to the next.
        if catch_unwind(AssertUnwindSafe(|| work(mill))).is_err() {
            tracing::error!("a hashing thread panicked at its work and goes on");
        }
    }
}

/// The password as it is hashed, on whatever keyboard it was typed.
fn normalised(password: &SecretString) -> SecretString {
    SecretString::new(nfc(password.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::sections::PROFILES;

    fn pool() -> Passwords {
        let settings = config::Passwords {
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
            workers: 2,
            queue: 4,
            minimum_length: 12,
        };
        Passwords::start(&settings).unwrap()
    }

    fn secret(text: &str) -> SecretString {
        SecretString::new(text)
    }

    /// Proves AUT-1.
    #[tokio::test]
    async fn passwords_are_argon2id_with_a_salt_of_their_own() {
        let pool = pool();
        let one = pool.hash(secret("Correct-horse-7")).await.unwrap();
        let two = pool.hash(secret("Correct-horse-7")).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{one}");
        assert_ne!(one, two);
        assert!(pool.verify(secret("Correct-horse-7"), Some(&one)).await.unwrap());
        assert!(!pool.verify(secret("correct-horse-7"), Some(&one)).await.unwrap());
        assert!(!pool.verify(secret("Correct-horse-7"), None).await.unwrap());
        // As if somebody's, so that it takes as long.
        assert!(!pool.is_outdated(&pool.nobody));
        assert_eq!(one.len(), pool.nobody.len());
    }

    /// One password in two spellings: `é` as one character, and as `e` with an accent to follow.
    #[tokio::test]
    async fn a_password_is_the_same_on_every_keyboard() {
        let (one, two) = ("Caf\u{e9}-au-lait-7", "Cafe\u{301}-au-lait-7");
        let pool = pool();
        for (chosen, typed) in [(one, two), (two, one)] {
            let hash = pool.hash(secret(chosen)).await.unwrap();
            assert!(pool.verify(secret(typed), Some(&hash)).await.unwrap(), "{typed:?} for {chosen:?}");
            assert!(!pool.verify(secret("Cafe-au-lait-7"), Some(&hash)).await.unwrap());
        }
        // A hash that was made before passwords were normalised.
        let hash = pool.run(move |mill| mill.hash(two.as_bytes()).unwrap()).await.unwrap();
        assert!(pool.verify(secret(two), Some(&hash)).await.unwrap());
        // Eleven characters, however they are spelt.
        let email = "ada@example.com".parse().unwrap();
        let rules = Rules { minimum_strength: 0, ..PROFILES[0].values };
        assert!(pool.check("Cafe\u{301}-lait-7", &email, "Ada", &rules).await.is_err());
    }

    /// Proves AUT-1.
    #[tokio::test]
    async fn hashes_of_other_tools_verify_and_are_told_from_ours() {
        use crate::accounts::stored::tests::{FOREIGN, OF_EIGHTY_BYTES, OF_UMLAUTS, PASSWORD, UMLAUTS};

        let pool = pool();
        for (tool, hash) in FOREIGN {
            assert!(pool.verify(secret(PASSWORD), Some(hash)).await.unwrap(), "{tool}");
            assert!(!pool.verify(secret("Correct-horse-battery-8"), Some(hash)).await.unwrap(), "{tool}");
            assert!(pool.is_outdated(hash), "{tool}");
        }
        assert!(!pool.is_outdated(&pool.hash(secret(PASSWORD)).await.unwrap()));
        assert!(pool.verify(secret(UMLAUTS), Some(OF_UMLAUTS)).await.unwrap());
        // What follows 72 bytes, or a NUL, never counted for the tool that made the hash.
        let long = "Aa1-".repeat(20);
        assert!(pool.verify(secret(&long), Some(OF_EIGHTY_BYTES)).await.unwrap());
        assert!(pool.verify(secret(&long[..72]), Some(OF_EIGHTY_BYTES)).await.unwrap());
        assert!(!pool.verify(secret(&long[..71]), Some(OF_EIGHTY_BYTES)).await.unwrap());
        let cut = format!("{PASSWORD}\0tail");
        assert!(pool.verify(secret(&cut), Some(FOREIGN[0].1)).await.unwrap());
    }

    /// Proves AUT-1.
    #[tokio::test]
    async fn nobody_waits_for_ever_and_what_nobody_waits_for_is_not_begun() {
        let (pool, soon) = (pool(), Duration::from_millis(50));
        let (open, gate) = bounded::<()>(0);
        // Both threads are held up.
        let held = (0..2).map(|_| {
            let (pool, gate) = (pool.clone(), gate.clone());
            async move { pool.run_within(soon, move |_| gate.recv()).await.map(|_| ()) }
        });
        let begun = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (late, by_late) = (pool.clone(), begun.clone());
        let late = async move {
            tokio::time::sleep(soon / 5).await;
            late.run_within(soon, move |_| by_late.store(true, std::sync::atomic::Ordering::SeqCst)).await
        };
        let (held, late) = tokio::join!(futures_util::future::join_all(held), late);
        for answer in held.into_iter().chain([late]) {
            assert!(matches!(answer, Err(Error::Upstream { .. })), "{answer:?}");
        }
        drop(open);
        pool.hash(secret("Correct-horse-7")).await.unwrap();
        assert!(!begun.load(std::sync::atomic::Ordering::SeqCst));
    }

    #[tokio::test]
    async fn work_that_panics_takes_no_thread_with_it() {
        let pool = pool();
        for _ in 0..20 {
            let answer = pool.run(|_| -> () { panic!("on purpose") }).await;
            assert!(matches!(answer, Err(Error::Internal(_))), "{answer:?}");
        }
        let hash = pool.hash(secret("Correct-horse-7")).await.unwrap();
        assert!(pool.verify(secret("Correct-horse-7"), Some(&hash)).await.unwrap());
    }
}
