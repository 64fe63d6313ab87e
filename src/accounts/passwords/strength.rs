//! How hard a password is to guess, as zxcvbn estimates it.
//!
//! The estimate takes half a millisecond for what people choose, but whoever wants can make it take seconds: each
//! character that can stand for a letter (`4` for `a`) multiplies what is tried. So only a beginning of the password is
//! looked at, which is never stronger than the whole, and it is done by the hashing pool.

use zxcvbn::zxcvbn;

/// How many characters are looked at. Nobody needs more to get the most points.
const LONGEST: usize = 64;
/// How many different characters that can stand for letters there are in what is looked at. With 8 the worst that was
/// found takes 60 ms, with all of them 4 s.
const MOST_SUBSTITUTES: usize = 8;
/// The characters that zxcvbn tries letters for.
const SUBSTITUTES: &str = "4@8({[<369&#!1/|0$5+7%2";

/// From 0, which falls at once, to 4. What is known of the person is a poor password for them.
pub(super) fn strength(password: &str, known: &[&str]) -> u8 {
    zxcvbn(beginning(password), known).score().into()
}

/// The longest beginning that is cheap to look at.
fn beginning(password: &str) -> &str {
    let mut substitutes = Vec::new();
    for (count, (at, c)) in password.char_indices().enumerate() {
        if SUBSTITUTES.contains(c) && !substitutes.contains(&c) {
            substitutes.push(c);
        }
        if count == LONGEST || substitutes.len() > MOST_SUBSTITUTES {
            return password.split_at(at).0;
        }
    }
    password
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_is_easy_to_guess_has_few_points() {
        for (password, points) in
            [("", 0), ("aaaaaaaaaaaaaaaa", 0), ("Password1234!", 1), ("Correct-horse-battery-7", 4)]
        {
            assert_eq!(strength(password, &[]), points, "{password}");
        }
        assert!(strength("Zyxxor-Quellam", &["Zyxxor", "Quellam"]) < strength("Zyxxor-Quellam", &[]));
    }

    #[test]
    fn nobody_makes_it_take_long() {
        strength("the dictionaries are made", &[]);
        for costly in ["4@8({[</369&#!1/|0$5+7%2/".repeat(10), "1|7!".repeat(64), "aB1!".repeat(64)] {
            let begun = Instant::now();
            strength(&costly, &[]);
            // Without a bound it is 20 times as much.
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?} for {costly}", begun.elapsed());
        }
    }

    #[test]
    fn a_beginning_ends_between_characters() {
        assert_eq!(beginning(&"\u{e9}".repeat(100)).chars().count(), LONGEST);
        assert_eq!(beginning("12345678"), "12345678");
        assert_eq!(beginning("1234567890\u{e9}"), "12345678");
    }
}
