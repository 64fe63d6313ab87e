//! Transactions: the only thing that can query.
//!
//! A [`Tx`] belongs to a caller. It names the caller's organisation and account to PostgreSQL, whose row-level
//! security then shows those rows only, and scopes every query in code as well (AZ-9). A [`WriteTx`] is committed
//! together with a record of what it did, or not at all (AUD-2).
//!
//! PostgreSQL gives up on a transaction that waits too long, so that one stuck row can't take every connection. The
//! limits are set by each transaction for itself: behind a pooler in transaction mode nothing else would hold.

use std::{ops::Deref, sync::Arc};

use entity::{AccountId, Identity, OrganizationId, Owned, Pii, Sealed, ServiceAccountId, SessionId, Tenant};
use sea_orm::{
    AccessMode, ActiveModelBehavior, ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection,
    DatabaseTransaction, DeleteMany, EntityTrait, FromQueryResult, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select, Selector, SelectorTrait, Statement, TransactionTrait, UpdateMany, Value,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    error::{Code, Error, Result},
    types::{Actor, Caller, Origin, Page, PageRequest, Tenancy},
};

/// What each transaction tells PostgreSQL first, in one round trip: for whom it is, in which request, whether it writes,
/// and how long it may take. The history of who holds what, which triggers keep, names who acted by it. A lock that nobody
/// gives up, a statement that does not end, and a transaction that its owner has left behind end in a 503. Statements are
/// short, and PostgreSQL, which compiles those that it takes for long ones, would compile longer than it works.
const BEGIN: &str = "SELECT set_config('freehold.organization', $1, true), set_config('freehold.account', $2, true),
    set_config('transaction_read_only', $3, true), set_config('idle_in_transaction_session_timeout', $4, true),
    set_config('lock_timeout', '5s', true), set_config('statement_timeout', '15s', true), set_config('jit', 'off', true),
    set_config('freehold.actor', $5, true), set_config('freehold.request', $6, true)";

/// What it tells when somebody turns out to be somebody, or to be somewhere.
const WHO: &str = "SELECT set_config('freehold.organization', $1, true), set_config('freehold.account', $2, true),
    set_config('freehold.actor', $3, true)";

/// What it tells when somebody takes what somebody else has given.
const GIVER: &str = "SELECT set_config('freehold.actor', $1, true)";

/// How long a transaction may be left behind by its owner.
const LONGEST_IDLE: &str = "30s";

/// What seals the personal part of a record. The vault does; it stands on the database, which can't name it.
pub trait Seal: Send + Sync {
    /// Seals a value for its field and row.
    ///
    /// # Errors
    /// When the operating system has no entropy.
    fn seal_personal(&self, field: &'static str, row: Uuid, clear: &[u8]) -> Result<Sealed<Pii>>;
}

/// Connections of one role.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) connections: DatabaseConnection,
    pub(super) seal: Arc<dyn Seal>,
    /// Whether a pooler shares each connection to PostgreSQL with others, transaction by transaction.
    pub(super) shared: bool,
}

/// A transaction that reads.
pub struct Tx {
    inner: DatabaseTransaction,
    caller: Caller,
    seal: Arc<dyn Seal>,
}

/// A transaction that writes. Dropped without a commit, it leaves nothing behind.
pub struct WriteTx(Tx);

/// What a commit leaves in the record.
pub trait Record: Send {
    /// Writes itself into the transaction.
    fn record(self, tx: &WriteTx) -> impl Future<Output = Result<()>> + Send;
}

/// What a statement finds of an organisation that the caller belongs to.
pub trait Found: Send {
    /// The organisation.
    fn organization(&self) -> OrganizationId;
}

/// Who has given what somebody else now takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// A person.
    Account(AccountId),
    /// A service account.
    Service(ServiceAccountId),
}

/// What becomes of an entry that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It stays.
    Kept,
    /// It leaves nothing.
    TakenBack,
}

/// A commit that needs no audit entry, with the reason. A test lists them.
pub struct Unrecorded(
    /// Why nobody will ask who did this.
    pub &'static str,
);

impl Record for Unrecorded {
    async fn record(self, _: &WriteTx) -> Result<()> {
        Ok(())
    }
}

impl Tx {
    pub(super) async fn begin(pool: &Pool, caller: &Caller, access: AccessMode) -> Result<Self> {
        // Read committed, PostgreSQL's default: what must not change meanwhile is locked by whoever depends on it.
        let inner = pool.connections.begin().await?;
        if pool.shared {
            // The connection was somebody else's a moment ago, and their prepared statements have our statements' names.
            inner.execute_unprepared("DEALLOCATE ALL").await?;
        }
        let tx = Self { inner, caller: caller.clone(), seal: pool.seal.clone() };
        let [organization, account, actor] = tx.who();
        let reads = if access == AccessMode::ReadOnly { "on" } else { "off" };
        let idle = if caller.term.is_some() { super::leadership::longest_idle() } else { LONGEST_IDLE.to_owned() };
        let request = caller.origin.request_id.to_string();
        tx.run(BEGIN, [organization, account, reads.into(), idle.into(), actor, request.into()]).await?;
        Ok(tx)
    }

    /// Names the organisation and the account to PostgreSQL, for this transaction only.
    async fn tell_who(&self) -> Result<()> {
        self.run(WHO, self.who()).await?;
        Ok(())
    }

    fn who(&self) -> [Value; 3] {
        let organization = self.caller.organization().map(|id| id.to_string()).unwrap_or_default();
        let account = self.caller.account().map(|id| id.to_string()).unwrap_or_default();
        let actor = match &self.caller.actor {
            Actor::Account { account, .. } => format!("account:{account}"),
            Actor::Service { account, .. } => format!("service:{account}"),
            Actor::Anonymous => "anonymous".to_owned(),
            Actor::System(_) => "system".to_owned(),
        };
        [organization.into(), account.into(), actor.into()]
    }

    /// Whose transaction it is.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// A query of the organisation's rows. A caller without an organisation gets none, the platform all.
    pub fn find<E: Tenant>(&self) -> Select<E> {
        E::find().filter(self.scope::<E>())
    }

    /// A query of the caller's own rows, in every organisation.
    pub fn find_own<E: Owned>(&self) -> Select<E> {
        match self.caller.account() {
            Some(account) => E::find().filter(E::owner().eq(account)),
            None => E::find().filter(nothing()),
        }
    }

    /// A query of rows that belong to no organisation. Only the entity's own module asks.
    pub fn find_identity<E: Identity>(&self) -> Select<E> {
        E::find()
    }

    fn scope<E: Tenant>(&self) -> SimpleExpr {
        match self.caller.tenancy {
            Tenancy::Organization(id) => E::organization().eq(id),
            Tenancy::Platform => Expr::val(true),
            Tenancy::None => nothing(),
        }
    }

    /// The one row, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn one<E: EntityTrait>(&self, query: Select<E>) -> Result<Option<E::Model>> {
        Ok(query.one(&self.inner).await?)
    }

    /// All rows of a query that bounds itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all<E: EntityTrait>(&self, query: Select<E>) -> Result<Vec<E::Model>> {
        Ok(query.all(&self.inner).await?)
    }

    /// A page of a query, newest first: ids are ordered by time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page<E: EntityTrait>(
        &self,
        query: Select<E>,
        column: E::Column,
        id: impl Fn(&E::Model) -> Uuid + Send,
        request: PageRequest,
    ) -> Result<Page<E::Model>> {
        let query = match request.after {
            Some(after) => query.filter(column.lt(after.0)),
            None => query,
        };
        let rows = self.all(query.order_by_desc(column).limit(request.rows())).await?;
        Ok(Page::of(request, rows, id))
    }

    /// The rows of a selection of columns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rows<S: SelectorTrait<Item: Send> + Send + Sync>(&self, query: Selector<S>) -> Result<Vec<S::Item>> {
        Ok(query.all(&self.inner).await?)
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count<E: EntityTrait<Model: Sync>>(&self, query: Select<E>) -> Result<u64>
    where
        E::Model: FromQueryResult + Sized + Send,
    {
        Ok(query.count(&self.inner).await?)
    }

    /// Rows of a statement that the query builder has no words for. The text is constant, the values are bound.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn query<T: FromQueryResult>(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Vec<T>> {
        let statement = Statement::from_sql_and_values(self.inner.get_database_backend(), sql, values);
        Ok(T::find_by_statement(statement).all(&self.inner).await?)
    }

    async fn run(&self, sql: &'static str, values: impl IntoIterator<Item = Value> + Send) -> Result<u64> {
        let statement = Statement::from_sql_and_values(self.inner.get_database_backend(), sql, values);
        Ok(self.inner.execute_raw(statement).await?.rows_affected())
    }
}

fn nothing() -> SimpleExpr {
    Expr::val(false)
}

impl Deref for WriteTx {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.0
    }
}

impl WriteTx {
    pub(super) async fn begin(pool: &Pool, caller: &Caller) -> Result<Self> {
        let tx = Self(Tx::begin(pool, caller, AccessMode::ReadWrite).await?);
        super::idempotency::mark(&tx).await?;
        Ok(tx)
    }

    /// From here on the transaction is this person's, who has just proven who they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn identify(&mut self, account: AccountId, session: SessionId) -> Result<()> {
        self.0.caller = self.0.caller.acting_as(account, session);
        self.0.tell_who().await
    }

    /// From here on the transaction is in this organisation, which the caller has just been found to belong to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enter(&mut self, organization: OrganizationId) -> Result<()> {
        self.0.caller = self.0.caller.within(organization);
        self.0.tell_who().await
    }

    /// Enters the organisation of the one row that a statement finds, which names it to PostgreSQL itself as
    /// `freehold.organization`: one round trip less for each sign-in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enter_found<T: FromQueryResult + Found>(
        &mut self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Option<T>> {
        let found = self.query::<T>(sql, values).await?.into_iter().next();
        if let Some(found) = &found {
            self.0.caller = self.0.caller.within(found.organization());
        }
        Ok(found)
    }

    /// From here on the record names this request, of somebody who has not signed in, for which the transaction only
    /// goes on with what was asked. What it may see stays the same.
    #[must_use]
    pub fn on_behalf_of(mut self, origin: Origin) -> Self {
        self.0.caller.origin = origin;
        self.0.caller.actor = Actor::Anonymous;
        self
    }

    /// From here on the history of who holds what names whoever gave what is held, and not the caller who takes it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn given_by(&self, giver: Giver) -> Result<()> {
        let giver = match giver {
            Giver::Account(id) => format!("account:{id}"),
            Giver::Service(id) => format!("service:{id}"),
        };
        self.run(GIVER, [giver.into()]).await?;
        Ok(())
    }

    /// Seals what a record keeps of a person.
    ///
    /// # Errors
    /// When the operating system has no entropy.
    pub fn seal(&self, field: &'static str, row: impl Into<Uuid>, clear: &str) -> Result<Sealed<Pii>> {
        self.0.seal.seal_personal(field, row.into(), clear.as_bytes())
    }

    /// Inserts a row and returns it.
    ///
    /// # Errors
    /// `Conflict` when a constraint that clients can run into stands against it.
    pub async fn insert<A>(&self, row: A) -> Result<<A::Entity as EntityTrait>::Model>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        Ok(row.insert(&self.0.inner).await?)
    }

    /// Inserts rows that this caller may not read back, or need not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append<A: ActiveModelTrait + Send>(&self, rows: Vec<A>) -> Result<()> {
        if !rows.is_empty() {
            <A::Entity as EntityTrait>::insert_many(rows).exec_without_returning(&self.0.inner).await?;
        }
        Ok(())
    }

    /// Updates the row with this key and returns it.
    ///
    /// # Errors
    /// `Conflict` when a constraint that clients can run into stands against it.
    pub async fn update<A>(&self, row: A) -> Result<<A::Entity as EntityTrait>::Model>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        Ok(row.update(&self.0.inner).await?)
    }

    /// An update of the organisation's rows.
    pub fn change<E: Tenant>(&self) -> UpdateMany<E> {
        E::update_many().filter(self.0.scope::<E>())
    }

    /// An update of rows that belong to no organisation. Only the entity's own module asks.
    pub fn change_identity<E: Identity>(&self) -> UpdateMany<E> {
        E::update_many()
    }

    /// Carries out an update and says how many rows it changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn apply<E: EntityTrait>(&self, update: UpdateMany<E>) -> Result<u64> {
        Ok(update.exec(&self.0.inner).await?.rows_affected)
    }

    /// A removal of the organisation's rows.
    pub fn remove<E: Tenant>(&self) -> DeleteMany<E> {
        E::delete_many().filter(self.0.scope::<E>())
    }

    /// Carries out a removal and says how many rows it took.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete<E: EntityTrait>(&self, removal: DeleteMany<E>) -> Result<u64> {
        Ok(removal.exec(&self.0.inner).await?.rows_affected)
    }

    /// A statement that the query builder has no words for. The text is constant, the values are bound.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn execute(&self, sql: &'static str, values: impl IntoIterator<Item = Value> + Send) -> Result<u64> {
        self.0.run(sql, values).await
    }

    /// Waits for and takes a lock that ends with the transaction. Equal names exclude each other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock(&self, name: &str) -> Result<()> {
        self.0
            .query::<Nothing>("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))::text AS nothing", [name.into()])
            .await?;
        Ok(())
    }

    /// Takes a lock that ends with the transaction, for what must not overlap (OPS-2). Equal names exclude each other.
    ///
    /// # Errors
    /// `Conflict` with `operation_in_progress` when somebody else has it.
    pub async fn try_lock(&self, name: &str) -> Result<()> {
        let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS taken";
        let locks: Vec<Lock> = self.0.query(sql, [name.into()]).await?;
        if locks.iter().all(|lock| lock.taken) { Ok(()) } else { Err(Error::Conflict(Code::OperationInProgress)) }
    }

    /// Adds an entry to the record of this transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note(&self, record: impl Record) -> Result<()> {
        record.record(self).await
    }

    /// Adds an entry to the record of this transaction, and keeps it or takes it back: either takes as long, so that
    /// nobody sees in the time of an answer whether there was something to record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_alike(&self, record: impl Record, noted: Noted) -> Result<()> {
        // What stays is not written below a savepoint: some policies ask what the transaction itself has written.
        let (begin, end) = match noted {
            Noted::Kept => ("SELECT", ["SELECT", "SELECT"]),
            // Going back to a savepoint leaves it open, and what is written below one has a number that no snapshot lists:
            // whoever watches the record by snapshots (`audit::feed`) could miss it.
            Noted::TakenBack => ("SAVEPOINT noted", ["ROLLBACK TO SAVEPOINT noted", "RELEASE SAVEPOINT noted"]),
        };
        self.execute(begin, []).await?;
        record.record(self).await?;
        for end in end {
            self.execute(end, []).await?;
        }
        Ok(())
    }

    /// Commits what was done together with its record: the only commit there is.
    ///
    /// # Errors
    /// When the database fails, or the caller acts under a leadership that has ended; nothing was done then.
    pub async fn commit(self, record: impl Record) -> Result<()> {
        record.record(&self).await?;
        if let Some(term) = self.caller.term {
            super::leadership::fence(&self, term).await?;
        }
        Ok(self.0.inner.commit().await?)
    }

    /// Commits the record of an attempt that was refused or failed, and what has to follow from it, and returns
    /// the refusal.
    ///
    /// # Errors
    /// Always: the refusal, or the database's error when even the record could not be written.
    pub async fn commit_refused<T>(self, record: impl Record, refusal: Error) -> Result<T> {
        self.commit(record).await?;
        Err(refusal)
    }
}

#[derive(FromQueryResult)]
struct Lock {
    taken: bool,
}

#[derive(FromQueryResult)]
struct Nothing {
    #[expect(dead_code, reason = "the statement is run for its effect")]
    nothing: String,
}
