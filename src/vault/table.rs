//! The tables that hold sealed values, as a rotation goes through them. Each module that owns such a table lists it.

use std::iter;

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

/// A column of sealed values, with the constant statements about it.
#[derive(Debug)]
pub struct Column {
    /// The field's name, which is what the values are bound to.
    pub name: &'static str,
    /// How many rows are sealed under a key.
    pub count: &'static str,
    /// How many rows are sealed under each key.
    pub census: &'static str,
}

/// A table with sealed values, whose columns a rotation goes through together; `sealed_table!` makes one.
#[derive(Debug)]
pub struct Table {
    /// The table's name.
    pub name: &'static str,
    /// The scope; none when each row has one of its own, which its key tells.
    pub scope: Option<&'static str>,
    /// Its columns of sealed values, three at most.
    pub columns: &'static [Column],
    /// The rows after one, in the order of their ids, with those values that are sealed under a key. Each says what it
    /// is bound to when that is another field for each.
    pub next: &'static str,
    /// Writes values in the place of those that were read.
    pub write: &'static str,
}

/// A table with the primary key `id`. With a `salt`, the values are sealed for a person.
macro_rules! sealed_table {
    ($table:literal, $scope:ty, [$($column:literal),+]) => {
        $crate::vault::sealed_table!($table, $scope, "NULL::bytea", [$($column),+])
    };
    ($table:literal, $scope:ty, $salt:literal, [$a:literal]) => {
        $crate::vault::sealed_table!(
            @ $table, $scope, $salt, ", NULL::bytea AS second, NULL::bytea AS third", $a ["$2" "$3"]
        )
    };
    ($table:literal, $scope:ty, $salt:literal, [$a:literal, $b:literal]) => {
        $crate::vault::sealed_table!(
            @ $table, $scope, $salt, ", NULL::bytea AS third", $a ["$2" "$3"], $b "second" ["$4" "$5"]
        )
    };
    ($table:literal, $scope:ty, $salt:literal, [$a:literal, $b:literal, $c:literal]) => {
        $crate::vault::sealed_table!(
            @ $table, $scope, $salt, "", $a ["$2" "$3"], $b "second" ["$4" "$5"], $c "third" ["$6" "$7"]
        )
    };
    (
        @ $table:literal, $scope:ty, $salt:literal, $none:literal, $a:literal [$present:literal $value:literal]
        $(, $column:literal $name:literal [$presents:literal $values:literal])*
    ) => {
        $crate::vault::Table {
            name: $table,
            scope: Some(<$scope as entity::Scope>::NAME),
            columns: &[
                $crate::vault::sealed_column!($table, $a),
                $($crate::vault::sealed_column!($table, $column)),*
            ],
            next: concat!(
                "SELECT id, ", $salt, " AS salt, NULL::text AS field", $none,
                ", CASE WHEN substr(", $a, ", 2, 16) = $2 THEN ", $a, " END AS first",
                $(", CASE WHEN substr(", $column, ", 2, 16) = $2 THEN ", $column, " END AS ", $name,)*
                " FROM ", $table, " WHERE id > $1 ORDER BY id LIMIT $3"
            ),
            write: concat!(
                "UPDATE ", $table, " t SET ", $a, " = CASE t.", $a, " WHEN u.present THEN u.value ELSE t.", $a, " END",
                $(
                    ", ", $column, " = CASE t.", $column, " WHEN u.present_", $name, " THEN u.value_", $name,
                    " ELSE t.", $column, " END",
                )*
                " FROM unnest($1::uuid[], ", $present, "::bytea[], ", $value, "::bytea[]",
                $(", ", $presents, "::bytea[], ", $values, "::bytea[]",)*
                ") AS u (id, present, value", $(", present_", $name, ", value_", $name,)* ") WHERE t.id = u.id"
            ),
        }
    };
}

/// A column of a table.
macro_rules! sealed_column {
    ($table:literal, $column:literal) => {
        $crate::vault::Column {
            name: concat!($table, ".", $column),
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
pub(crate) use sealed_table;

/// A row with values to be sealed anew, or none.
#[derive(FromQueryResult)]
struct Old {
    id: Uuid,
    salt: Option<Salt>,
    field: Option<String>,
    first: Option<Vec<u8>>,
    second: Option<Vec<u8>>,
    third: Option<Vec<u8>>,
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
    /// How many are looked at, at most.
    pub most: i64,
}

/// Rows of a table, as they were read.
pub struct Rows {
    table: &'static Table,
    last: Uuid,
    rows: Vec<Old>,
}

/// Rows of a table, sealed anew and not yet written.
pub struct Anew {
    /// The last row that was looked at.
    pub last: Uuid,
    /// How many values are sealed anew.
    pub values: u64,
    rows: Vec<Uuid>,
    columns: Vec<Replaced>,
}

/// What of a column is replaced by what, row by row; nothing by nothing where a row has no value under the key.
#[derive(Default)]
struct Replaced {
    present: Vec<Vec<u8>>,
    value: Vec<Vec<u8>>,
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
}

impl Table {
    /// How many values are sealed under a key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, tx: &Tx, key: DataKeyId) -> Result<i64> {
        let mut number = 0;
        for column in self.columns {
            number += column.count(tx, key).await?;
        }
        Ok(number)
    }

    /// Reads some rows; none when there are no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(&'static self, tx: &Tx, rows: Stretch) -> Result<Option<Rows>> {
        let rows: Vec<Old> = tx.query(self.next, [rows.after.into(), bytes(rows.from), rows.most.into()]).await?;
        Ok(rows.last().map(|row| row.id).map(|last| Rows { table: self, last, rows }))
    }

    /// Writes rows that were sealed anew. What somebody else has written meanwhile wins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write(&self, tx: &WriteTx, anew: Anew) -> Result<()> {
        let columns = anew.columns.into_iter().flat_map(|column| [column.present.into(), column.value.into()]);
        tx.execute(self.write, iter::once(anew.rows.into()).chain(columns)).await?;
        Ok(())
    }
}

impl Rows {
    /// The last row.
    pub fn last(&self) -> Uuid {
        self.last
    }

    /// Seals anew what is under the old key: milliseconds of computing, for a thread of its own.
    ///
    /// # Errors
    /// When a value can't be opened: it is named, and the rotation stops rather than lose it.
    pub fn seal_anew(self, vault: &Vault) -> Result<Anew> {
        let Self { table, last, rows } = self;
        let columns = table.columns.iter().map(|_| Replaced::default()).collect();
        let mut anew = Anew { last, values: 0, rows: Vec::new(), columns };
        for Old { id, salt, field, first, second, third } in rows {
            let values = [first, second, third];
            if values.iter().all(Option::is_none) {
                continue;
            }
            anew.rows.push(id);
            for ((column, replaced), present) in table.columns.iter().zip(&mut anew.columns).zip(values) {
                let place = (field.as_deref().unwrap_or(column.name), id);
                let value = present.as_ref().map(|present| vault.seal_anew(table.scope, place, salt.as_ref(), present));
                anew.values += u64::from(present.is_some());
                replaced.value.push(value.transpose()?.unwrap_or_default());
                replaced.present.push(present.unwrap_or_default());
            }
        }
        Ok(anew)
    }
}

impl Vault {
    /// The same value under the active key of the scope, or of the scope that its key is of.
    fn seal_anew(
        &self,
        scope: Option<&str>,
        (name, row): (&str, Uuid),
        salt: Option<&Salt>,
        present: &[u8],
    ) -> Result<Vec<u8>> {
        let fault = |why: &str| Error::internal(format!("{name} of row {row} can't be sealed anew: {why}"));
        let parts = Parts::of(present).map_err(fault)?;
        let salt = match parts.version {
            BY_PERSON => Some(salt.ok_or_else(|| fault("its person's salt is gone"))?),
            _ => None,
        };
        let ring = self.0.ring.load();
        let old = ring.find(parts.key).ok_or_else(|| fault("its data key is not here"))?;
        let scope = scope.unwrap_or(&old.scope);
        let aad = associated(parts.version, scope, name, Some(row));
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
