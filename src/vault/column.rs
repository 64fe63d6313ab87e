//! The columns that hold sealed values, as a rotation goes through them. Each module that owns such a column lists it.

use entity::{DataKeyId, Salt};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{
    Vault,
    format::{BY_PERSON, IV, Parts, associated},
};
use crate::{
    db::{Tx, WriteTx},
    error::{Error, Result},
};
use aes_gcm::aead::Payload;

/// A column of sealed values, with the constant statements about it; `sealed_column!` makes one.
#[derive(Debug)]
pub struct Column {
    /// The field's name, which is what the values are bound to.
    pub name: &'static str,
    /// The scope; none when each row has one of its own, which its key tells.
    pub scope: Option<&'static str>,
    /// The rows after one, in the order of their ids, that are sealed under a key. Each says what it is bound to when
    /// that is another field for each.
    pub next: &'static str,
    /// Writes values in the place of those that were read.
    pub write: &'static str,
    /// How many rows are sealed under a key.
    pub count: &'static str,
    /// How many rows are sealed under each key.
    pub census: &'static str,
}

/// A column of a table with the primary key `id`. With a `salt`, the values are sealed for a person.
macro_rules! sealed_column {
    ($table:literal, $column:literal, $scope:ty) => {
        $crate::vault::sealed_column!($table, $column, $scope, "NULL::bytea")
    };
    ($table:literal, $column:literal, $scope:ty, $salt:literal) => {
        $crate::vault::Column {
            name: concat!($table, ".", $column),
            scope: Some(<$scope as entity::Scope>::NAME),
            next: concat!(
                "SELECT id, ",
                $column,
                " AS value, ",
                $salt,
                " AS salt, NULL::text AS field FROM ",
                $table,
                " WHERE id > $1 AND substr(",
                $column,
                ", 2, 16) = $2 ORDER BY id LIMIT $3"
            ),
            write: concat!(
                "UPDATE ",
                $table,
                " t SET ",
                $column,
                " = u.value FROM unnest($1::uuid[], $2::bytea[], $3::bytea[])",
                " AS u (id, present, value) WHERE t.id = u.id AND t.",
                $column,
                " = u.present"
            ),
            count: concat!("SELECT count(*) AS number FROM ", $table, " WHERE substr(", $column, ", 2, 16) = $1"),
            census: concat!(
                "SELECT encode(substr(",
                $column,
                ", 2, 16), 'hex')::uuid AS key, count(*) AS number FROM ",
                $table,
                " WHERE ",
                $column,
                " IS NOT NULL GROUP BY 1"
            ),
        }
    };
}

pub(crate) use sealed_column;

/// A value to be sealed anew.
#[derive(FromQueryResult)]
struct Old {
    id: Uuid,
    value: Vec<u8>,
    salt: Option<Salt>,
    field: Option<String>,
}

#[derive(FromQueryResult)]
struct Count {
    number: i64,
}

/// How many values of a column are under a key.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub struct Under {
    /// The key.
    pub key: DataKeyId,
    /// How many.
    pub number: i64,
}

/// The rows that a batch of a rotation goes through.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// The key that they are sealed under.
    pub from: DataKeyId,
    /// The row that they begin after.
    pub after: Uuid,
    /// How many at most.
    pub most: i64,
}

/// Rows of a column, sealed anew and not yet written.
#[derive(Default)]
pub struct Anew {
    rows: Vec<Uuid>,
    present: Vec<Vec<u8>>,
    sealed: Vec<Vec<u8>>,
}

impl Anew {
    /// The last of them; none when there are no more rows.
    pub fn last(&self) -> Option<Uuid> {
        self.rows.last().copied()
    }
}

/// What a batch of a rotation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The last row that was looked at; none when there are no more.
    pub last: Option<Uuid>,
    /// How many rows were written.
    pub written: u64,
}

impl Column {
    /// How many rows are sealed under a key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, tx: &Tx, key: DataKeyId) -> Result<i64> {
        let counts: Vec<Count> = tx.query(self.count, [bytes(key)]).await?;
        Ok(counts.iter().map(|count| count.number).sum())
    }

    /// How many rows are sealed under each key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn census(&self, tx: &Tx) -> Result<Vec<Under>> {
        tx.query(self.census, []).await
    }

    /// Reads some rows that are under an old key, and seals them anew on a thread of its own.
    ///
    /// # Errors
    /// When the database fails, or a value can't be opened: it is named, and the rotation stops rather than lose it.
    pub async fn read(&'static self, tx: &Tx, vault: &Vault, rows: Stretch) -> Result<Anew> {
        let rows: Vec<Old> = tx.query(self.next, [rows.after.into(), bytes(rows.from), rows.most.into()]).await?;
        let vault = vault.clone();
        tokio::task::spawn_blocking(move || {
            let mut anew = Anew::default();
            for row in rows {
                anew.sealed.push(vault.seal_anew(self, &row)?);
                anew.rows.push(row.id);
                anew.present.push(row.value);
            }
            Ok(anew)
        })
        .await
        .map_err(Error::internal)?
    }

    /// Writes rows that were sealed anew; says how many. What somebody else has written meanwhile wins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write(&self, tx: &WriteTx, anew: Anew) -> Result<u64> {
        tx.execute(self.write, [anew.rows.into(), anew.present.into(), anew.sealed.into()]).await
    }
}

impl Vault {
    /// The same value under the scope's active key.
    fn seal_anew(&self, column: &Column, row: &Old) -> Result<Vec<u8>> {
        let name = row.field.as_deref().unwrap_or(column.name);
        let fault = |why: &str| Error::internal(format!("{name} of row {} can't be sealed anew: {why}", row.id));
        let parts = Parts::of(&row.value).map_err(fault)?;
        let salt = match parts.version {
            BY_PERSON => Some(row.salt.as_ref().ok_or_else(|| fault("its person's salt is gone"))?),
            _ => None,
        };
        let ring = self.0.ring.load();
        let old = ring.find(parts.key).ok_or_else(|| fault("its data key is not here"))?;
        let scope = column.scope.unwrap_or(&old.scope);
        let aad = associated(parts.version, scope, name, Some(row.id));
        let clear = old.open(salt, &parts.iv, Payload { msg: parts.sealed, aad: &aad })?;
        let clear =
            clear.ok_or_else(|| fault(&format!("changed, or moved from another place (data key {})", parts.key)))?;
        let (key, iv) = (ring.active(scope)?, self.0.entropy.bytes::<IV>()?);
        let sealed = key.seal(salt, &iv, Payload { msg: &clear, aad: &aad })?;
        Ok(Parts { version: parts.version, key: key.id.into(), iv, sealed: &sealed }.join())
    }
}

fn bytes(key: DataKeyId) -> sea_orm::Value {
    Uuid::from(key).as_bytes().to_vec().into()
}
