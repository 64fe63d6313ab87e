//! The sections: what there is to be set, one file each.
//!
//! A section is a struct of the values in force, and for each of them a [`Field`] that says what it takes and which
//! of two values is the stricter. To add one, write its file and name it in the list below; documents, inheritance,
//! bounds, history, contract and console follow from it.

mod invitations;
mod lockout;
mod mfa;
mod organizations;
mod passwords;
mod reauthentication;
mod retention;
mod sessions;
mod sign_in;
mod sign_up;

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use self::{
    invitations::Invitations,
    lockout::Lockout,
    mfa::Mfa,
    organizations::Organizations,
    passwords::{PROFILES, Passwords, Profile},
    reauthentication::Reauthentication,
    retention::Retention,
    sessions::Sessions,
    sign_in::{SignIn, Way},
    sign_up::{Mode as SignUpMode, SignUp},
};
use super::field::Field;
use crate::config;

/// A section of the settings: the values in force.
pub trait Section: Serialize + DeserializeOwned {
    /// Its name in documents and in the contract.
    const NAME: &'static str;
    /// What it is about, in a sentence for the contract.
    const ABOUT: &'static str;
    /// Its fields, by the names that the struct has, in the order in which people read them.
    const FIELDS: &'static [Field];
    /// Who sets it.
    const REACH: Reach = Reach::Organizations;

    /// What holds where nobody has set anything.
    fn defaults(configured: &Configured) -> Self;
}

/// Who sets a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The platform, and an organisation more strictly for itself.
    Organizations,
    /// The platform only.
    Platform,
}

/// A section without its values.
#[derive(Debug)]
pub struct Outline {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
    /// Who sets it.
    pub reach: Reach,
}

impl Outline {
    const fn of<S: Section>() -> Self {
        Self { name: S::NAME, about: S::ABOUT, fields: S::FIELDS, reach: S::REACH }
    }
}

/// What the server's configuration says about things that can be set.
#[derive(Clone, Copy, Debug)]
pub struct Configured {
    /// `passwords.minimum_length`
    pub minimum_length: u32,
    /// `tokens.session_lifetime`
    pub session_lifetime: Duration,
    /// `tokens.refresh_lifetime`
    pub refresh_lifetime: Duration,
    /// `tokens.reauthentication_window`
    pub reauthentication_window: Duration,
}

impl Configured {
    /// The part of the configuration that settings begin with.
    pub fn of(tokens: &config::Tokens, passwords: &config::Passwords) -> Self {
        Self {
            minimum_length: u32::try_from(passwords.minimum_length).unwrap_or(u32::MAX),
            session_lifetime: tokens.session_lifetime,
            refresh_lifetime: tokens.refresh_lifetime,
            reauthentication_window: tokens.reauthentication_window,
        }
    }
}

macro_rules! sections {
    ($($name:ident: $section:ident,)*) => {
        /// The values in force somewhere, section by section.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct Effective {
            $(#[doc = concat!("`", stringify!($name), "`")] pub $name: $section,)*
        }

        impl Effective {
            /// What holds where nobody has set anything.
            pub(super) fn defaults(configured: &Configured) -> Self {
                Self { $($name: $section::defaults(configured),)* }
            }
        }

        /// Every section, in the order in which people read them.
        pub const SECTIONS: &[Outline] = &[$(Outline::of::<$section>(),)*];

        #[cfg(test)]
        const NAMES: &[(&str, &str)] = &[$((stringify!($name), $section::NAME),)*];
    };
}

sections! {
    passwords: Passwords,
    sessions: Sessions,
    lockout: Lockout,
    reauthentication: Reauthentication,
    mfa: Mfa,
    sign_in: SignIn,
    sign_up: SignUp,
    invitations: Invitations,
    organizations: Organizations,
    retention: Retention,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_section_has_the_fields_that_its_struct_has() {
        let day = Duration::from_secs(24 * 60 * 60);
        let configured = Configured {
            minimum_length: 12,
            session_lifetime: 30 * day,
            refresh_lifetime: 7 * day,
            reauthentication_window: std::time::Duration::from_secs(300),
        };
        let defaults = serde_json::to_value(Effective::defaults(&configured)).unwrap();
        for (name, constant) in NAMES {
            assert_eq!(name, constant, "the list and the section name it differently");
        }
        for section in SECTIONS {
            let values = defaults[section.name].as_object().unwrap();
            let in_struct: BTreeSet<_> = values.keys().map(String::as_str).collect();
            let in_fields: BTreeSet<_> = section.fields.iter().map(|field| field.name).collect();
            assert_eq!(in_struct, in_fields, "{}", section.name);
            for field in section.fields {
                let value = &values[field.name];
                assert!(value.is_null() || field.kind.fit(value).as_ref() == Some(value), "{}", field.name);
                assert!(section.about.ends_with('.') && field.about.ends_with('.'), "{}", field.name);
            }
        }
    }
}
