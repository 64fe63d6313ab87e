//! What has to be so before a case can succeed.

/// What has to be done to the world before a request can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// The platform loses its administrator, so that it can be set up.
    NoAdministrator,
    /// Somebody has paused the job.
    PausedJob,
    /// A run of a job has failed for good.
    DeadRun,
    /// There is a data key that can be destroyed.
    RetiredKey,
    /// An import is being worked off, and somebody holds it.
    PausedImport,
    /// An import is being worked off, and nobody is at it.
    RunningImport,
    /// Somebody has taken note of every alert.
    AcknowledgedAlert,
    /// Every alert is muted.
    MutedAlert,
    /// A hold stands on the record of nobody's organisation.
    Held,
    /// Each tenant's product has a type of event of its own.
    Declared,
    /// Tenant A has muted a rule.
    MutedRule,
    /// A rotation of a data key is paused.
    Rotation,
    /// Anybody may sign up, somebody has, and in each tenant somebody waits to be let in.
    SigningUp,
    /// The plain member of each tenant has not proven their address, and has links that prove it and another.
    Unproven,
    /// Tenant A's member has been sent a link to a new password.
    Reset,
    /// The member of tenant A has signed in on a device that is known.
    KnownDevice,
    /// The member and the subject of each tenant have a second factor.
    SecondFactor,
    /// The member of tenant A has a passkey, and is asked for it, and for another, wherever one can be.
    Passkey,
    /// The member of tenant A has begun to set one up.
    Enrolling,
    /// Codes are mailed to the member of tenant A, who has given the right password.
    EmailCodes,
    /// The same, and they have an authenticator app.
    EmailCodesBesideAnApp,
    /// The first such code was sent to them.
    EmailCodeSent,
    /// The member of tenant A trusts a device.
    TrustedDevice,
    /// Tenant A's member has given the right password and is asked for a second factor.
    Challenged,
    /// The same, and the member and the subject of each tenant are recovering; the subjects wait for an administrator.
    Recovering,
    /// Wrong passwords have locked the account of tenant A's subject.
    Locked,
    /// Tenant A has blocked the account of its subject.
    Blocked,
    /// The service account of each tenant is disabled.
    DisabledService,
    /// The platform's administrator acts in tenant A, in a session of their own, and makes the request.
    Acting,
}
