//! Column types of what is protected. [`Sealed`] holds what can be opened again, [`Match`] what can be found and compared
//! but says nothing else, [`Salt`] what a person's own keys are derived from. `freehold::vault` is the only one who makes
//! and opens them, so that clear text in such a column does not compile (DAT-4).

use std::{fmt, marker::PhantomData};

use sea_orm::{
    ColIdx, ColumnType, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, Nullable, StringLen, ValueType, ValueTypeErr},
};

/// What values are sealed for: those of one scope share a key (DAT-2).
pub trait Scope: Send + Sync + 'static {
    /// The scope's name, which never changes.
    const NAME: &'static str;
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $scope:ident $name:literal;)*) => {$(
        $(#[$doc])*
        pub enum $scope {}

        impl Scope for $scope {
            const NAME: &'static str = $name;
        }
    )*};
}

scopes! {
    /// What identifies people or tells about them.
    Pii "pii";
    /// What a second factor is made of.
    Mfa "mfa";
    /// What is said about somebody's health.
    Hipaa "hipaa";
    /// Keys, tokens on their way out, credentials of others.
    Secrets "secrets";
}

/// A scope that is chosen while the server runs: a column beside the value, or one that it belongs to, says which. It is
/// no [`Scope`], so what asks for one does not take these values.
pub enum Chosen {}

macro_rules! protected {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name<S>(Vec<u8>, PhantomData<fn() -> S>);

        impl<S> $name<S> {
            /// For the vault alone, which has made these bytes.
            #[must_use]
            pub fn from_vault(bytes: Vec<u8>) -> Self {
                Self(bytes, PhantomData)
            }

            /// The stored bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl<S> Clone for $name<S> {
            fn clone(&self) -> Self {
                Self(self.0.clone(), PhantomData)
            }
        }

        impl<S> PartialEq for $name<S> {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0
            }
        }

        impl<S> Eq for $name<S> {}

        impl<S> fmt::Debug for $name<S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl<S> From<$name<S>> for Value {
            fn from(value: $name<S>) -> Self {
                Self::from(value.0)
            }
        }

        impl<S> TryGetable for $name<S> {
            fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
                Vec::<u8>::try_get_by(row, index).map(Self::from_vault)
            }
        }

        impl<S> ValueType for $name<S> {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                <Vec<u8> as ValueType>::try_from(value).map(Self::from_vault)
            }

            fn type_name() -> String {
                stringify!($name).to_owned()
            }

            fn array_type() -> ArrayType {
                ArrayType::Bytes
            }

            fn column_type() -> ColumnType {
                ColumnType::VarBinary(StringLen::None)
            }
        }

        impl<S> sea_orm::TryFromU64 for $name<S> {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl<S> Nullable for $name<S> {
            fn null() -> Value {
                Value::Bytes(None)
            }
        }
    )*};
}

protected! {
    /// A sealed value of a scope.
    Sealed;
    /// A match value of a scope: equal for equal clear values of a field, under one key.
    Match;
}

/// A person's salt: without it, nothing that is sealed for the person can be opened (DAT-10).
#[derive(Clone, PartialEq, Eq)]
pub struct Salt(Vec<u8>);

impl Salt {
    /// For the vault alone, which has made these bytes.
    #[must_use]
    pub fn from_vault(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The stored bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

impl From<Salt> for Value {
    fn from(salt: Salt) -> Self {
        Self::from(salt.0)
    }
}

impl TryGetable for Salt {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        Vec::<u8>::try_get_by(row, index).map(Self)
    }
}

impl ValueType for Salt {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <Vec<u8> as ValueType>::try_from(value).map(Self)
    }

    fn type_name() -> String {
        "Salt".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::Bytes
    }

    fn column_type() -> ColumnType {
        ColumnType::VarBinary(StringLen::None)
    }
}

impl Nullable for Salt {
    fn null() -> Value {
        Value::Bytes(None)
    }
}
