//! Operating the installation: the jobs that run by themselves. When they run is here; what each does is in the module
//! whose rows it works on.

pub mod keys;

use std::time::Duration;

use chrono::TimeDelta;

use crate::{
    accounts::{self, resets},
    alerts,
    app::App,
    config,
    db::{Unrecorded, idempotency},
    decisions,
    digests::{self, Clockwork},
    error::Result,
    guessing,
    jobs::{self, Duty, Job, Report, Run, Schedule, Then},
    mail, mfa, people, retention, seals, sessions,
    tenancy::{adoption, invitations, organizations, sign_ups},
};

/// How long the history of jobs is kept.
const HISTORY: TimeDelta = TimeDelta::days(90);

/// The jobs of this release, with nowhere outside to send anything.
pub fn jobs() -> Vec<Job> {
    jobs_for(config::Audit::default())
}

/// The jobs of this release.
pub fn jobs_for(outside: config::Audit) -> Vec<Job> {
    vec![
        Job::new("invitations_expire", Schedule::QUARTERLY, invitations::expire_all)
            .described("Expire invitations", "Closes invitations that nobody accepted in their time."),
        Job::new("sign_up_requests_expire", Schedule::QUARTERLY, sign_ups::expire_all).described(
            "Expire sign-ups that wait",
            "Ends the wait of people whom no administrator has let in or turned away within 30 days.",
        ),
        Job::new("sign_ups_clean_up", Schedule::HOURLY_AT_7, sign_ups::clean_up).described(
            "Clean up sign-ups",
            "Removes sign-ups and links to addresses whose time is over, and decisions that are older than 30 days.",
        ),
        Job::new("sessions_clean_up", Schedule::HOURLY_AT_7, sessions::clean_up).described(
            "Clean up sessions",
            "Removes used-up refresh tokens, and sessions that ended more than 30 days ago.",
        ),
        Job::new("password_resets_clean_up", Schedule::HOURLY_AT_7, resets::clean_up_resets).described(
            "Clean up links to new passwords",
            "Removes links that nobody can use any more, and counters of requests for them after their hour.",
        ),
        Job::new("guesses_clean_up", Schedule::QUARTERLY, guessing::clean_up).described(
            "Clean up failed sign-ins",
            "Removes counters of wrong passwords that count no more, and bounds those of addresses without an account.",
        ),
        Job::new("known_devices_clean_up", Schedule::NIGHTLY, accounts::clean_up_devices)
            .described("Clean up known devices", "Forgets devices that nobody has signed in on for 180 days."),
        Job::new("second_factors_clean_up", Schedule::HOURLY_AT_7, mfa::clean_up).described(
            "Clean up second factors",
            "Removes sign-ins that nobody went on with, wrong codes after an hour, trust and recoveries that are over, and what nobody confirmed.",
        ),
        Job::new("second_factor_counts", Schedule::HOURLY_AT_7, adoption::count_all).described(
            "Count second factors",
            "Counts in each organisation how many people of which role have which second factor, and removes counts after two years.",
        ),
        Job::new("idempotency_keys_clean_up", Schedule::HOURLY_AT_7, idempotency_keys)
            .described("Clean up idempotency keys", "Removes the kept answers of creating calls after their day."),
        Job::new("decision_counts_clean_up", Schedule::NIGHTLY, decisions::clean_up).described(
            "Clean up counts of decisions",
            "Removes the daily counts of what was allowed and refused after 90 days, and those of people who were erased.",
        ),
        Job::new("alerts_clean_up", Schedule::HOURLY_AT_7, alerts::clean_up).described(
            "Clean up alerts",
            "Removes what was counted towards alerts and counts no more, counts of errors after 30 days, mutes that are over, and alerts a year after they were acknowledged.",
        ),
        Job::new("outbox_clean_up", Schedule::NIGHTLY, mail::clean_up)
            .described("Clean up the outbox", "Removes what is left of letters that were sent or given up 30 days ago."),
        Job::new("imports_clean_up", Schedule::HOURLY_AT_7, people::clean_up).described(
            "Clean up imports",
            "Cancels imports that nobody went on with for a day, with what was uploaded, and removes reports after 30 days.",
        ),
        Job::new("organizations_purge", Schedule::NIGHTLY, organizations::purge).described(
            "Remove deleted organisations",
            "Removes organisations whose grace period has ended, with everything that belonged to them but their audit entries.",
        ),
        Job::new("audit_parts_make", Schedule::HOURLY_AT_7, retention::make_parts).described(
            "Make parts of the record",
            "Makes the parts of the record for the months to come, and warns when something was written that has none.",
        ),
        Job::new("audit_retention", Schedule::NIGHTLY, retention::apply).within(retention::LONGEST).described(
            "Drop old entries of the record",
            "Drops the parts of the record whose time is over and keeps what is held or wanted longer. Seals stay.",
        ),
        Job::new("audit_checkpoints_publish", Schedule::NIGHTLY, move |run| seals::publish(run, outside.clone())).described(
            "Send out checkpoints",
            "Writes the latest checkpoints of the record into a directory and sends them by mail, where that is configured.",
        ),
        Job::new(keys::JOB, Schedule::HOURLY_AT_7, keys::rotate)
            .within(Duration::from_secs(24 * 3600))
            .described("Rotate data keys", "Goes on with the rotations of data keys that have been started."),
        Job::new("job_history_clean_up", Schedule::NIGHTLY, job_history)
            .described("Clean up the job history", "Removes runs that succeeded more than 90 days ago."),
    ]
}

/// How often the leader looks at what is new in the record.
const LOOK: Duration = Duration::from_secs(2);
/// How often it looks at the counts of errors, which instances write every few seconds.
const LOOK_AT_ERRORS: Duration = Duration::from_secs(10);
/// How often it finds out whether an hour has ended.
const SEND_DIGESTS: Duration = Duration::from_secs(20);

/// What the leader does all the time.
pub fn duties(app: &App) -> Vec<Duty> {
    let (looking, errors, urgent, digesting) = (app.clone(), app.clone(), app.clone(), app.clone());
    let clockwork = Clockwork::default();
    vec![
        Duty::again("alerts", LOOK, move |caller| {
            let app = looking.clone();
            async move {
                let seen = alerts::look(&app.db, &app.vault, &app.alerts, &caller).await?;
                Ok(if seen.more { Then::GoOn } else { Then::Wait })
            }
        }),
        Duty::again("alerts_of_errors", LOOK_AT_ERRORS, move |caller| {
            let app = errors.clone();
            async move { alerts::look_at_errors(&app.db, &app.alerts, &caller).await.map(|_| Then::Wait) }
        }),
        Duty::again("alerts_at_once", LOOK, move |caller| {
            let app = urgent.clone();
            async move { digests::send_urgent(&app, &caller).await.map(|_| Then::Wait) }
        }),
        Duty::again("alert_digests", SEND_DIGESTS, move |caller| {
            let (app, clockwork) = (digesting.clone(), clockwork.clone());
            async move { digests::send_digests(&app, &clockwork, &caller).await.map(|_| Then::Wait) }
        }),
    ]
}

async fn idempotency_keys(run: Run) -> Result<Report> {
    let removed = run.repeat(idempotency::CLEAN_UP, &[run.caller().now().into()]).await?;
    Ok(Report::from([("keys", removed)]))
}

async fn job_history(run: Run) -> Result<Report> {
    let tx = run.write().await?;
    let removed = jobs::clean_up(&tx, tx.caller().now() - HISTORY).await?;
    let report = Report::from([("removed", removed)]);
    run.commit(tx, report, Unrecorded("a run of a job is its own record")).await
}
