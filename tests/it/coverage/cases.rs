//! One case an operation: a valid request of whoever may just make it. Everything else is generated from these.
//!
//! A new operation needs one more line here: the ids of its path and its body, made of the world's people and things.

mod factors;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

pub use self::factors::TRUSTED;
pub use super::before::Before;
use super::recovering::{COMPLETES, PROVES, STOPS, wanted};
use super::{Failures, contract, stage::Stage};
use crate::{
    harness::PASSWORD,
    world::{Person, Tenant},
};

/// How to build a valid request.
pub struct Case {
    /// The operation.
    pub operation: &'static str,
    /// What has to be done to the world first.
    pub before: Before,
    /// Who makes it, when it is not the tenant's plainest person with the minimum role.
    pub by: Option<fn(&Tenant) -> &Person>,
    /// The request, about the things of this tenant.
    pub call: fn(&Stage, &Tenant) -> Call,
}

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The ids of the path, by name.
    pub ids: Vec<(&'static str, Uuid)>,
    /// The names in the path, by parameter.
    pub names: Vec<(&'static str, &'static str)>,
    /// The body.
    pub body: Option<Value>,
}

impl Call {
    /// With an id in the path.
    pub fn id(mut self, name: &'static str, id: Uuid) -> Self {
        self.ids.retain(|(known, _)| *known != name);
        self.ids.push((name, id));
        self
    }

    fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

impl Case {
    const fn new(operation: &'static str, call: fn(&Stage, &Tenant) -> Call) -> Self {
        Self { operation, before: Before::Nothing, by: None, call }
    }

    const fn by(self, by: fn(&Tenant) -> &Person) -> Self {
        Self { by: Some(by), ..self }
    }

    const fn after(self, before: Before) -> Self {
        Self { before, ..self }
    }
}

/// The case of an operation.
pub fn case(operation: &str) -> &'static Case {
    let found = all().find(|case| case.operation == operation);
    found.unwrap_or_else(|| panic!("add a Case for {operation} in tests/it/coverage/cases.rs"))
}

fn all() -> impl Iterator<Item = &'static Case> {
    CASES.iter().chain(factors::CASES)
}

fn plain(_: &Stage, _: &Tenant) -> Call {
    Call::default()
}

fn inside(_: &Stage, tenant: &Tenant) -> Call {
    Call::default().id("organization_id", tenant.id)
}

fn subject(_: &Stage, tenant: &Tenant) -> Call {
    Call::default().id("organization_id", tenant.id).id("member_id", tenant.subject.membership)
}

fn team(stage: &Stage, tenant: &Tenant) -> Call {
    inside(stage, tenant).id("team_id", tenant.team)
}

fn custom_role(stage: &Stage, tenant: &Tenant) -> Call {
    inside(stage, tenant).id("custom_role_id", tenant.custom_role)
}

fn service(stage: &Stage, tenant: &Tenant) -> Call {
    inside(stage, tenant).id("service_account_id", tenant.service)
}

fn site(stage: &Stage, tenant: &Tenant) -> Call {
    inside(stage, tenant).id("attribute_id", tenant.site)
}

fn pending(_: &Stage, tenant: &Tenant) -> Call {
    Call::default().id("organization_id", tenant.id).id("invitation_id", tenant.pending.id)
}

fn import(stage: &Stage, tenant: &Tenant) -> Call {
    inside(stage, tenant).id("import_id", tenant.import)
}

fn alert(stage: &Stage, tenant: &Tenant) -> Call {
    inside(stage, tenant).id("alert_id", tenant.alert)
}

fn alert_rule(stage: &Stage, tenant: &Tenant) -> Call {
    inside(stage, tenant).id("alert_rule_id", tenant.alert_rule)
}

fn event_type(stage: &Stage, tenant: &Tenant) -> Call {
    Call { names: vec![("code", DECLARED)], ..inside(stage, tenant) }
}

/// A moment that a mute may last until.
fn tomorrow(stage: &Stage) -> Value {
    json!((stage.server.app().clock.now() + chrono::TimeDelta::days(1)).to_rfc3339())
}

/// An alert rule of every release.
pub const RULE: &str = "lockouts";

/// A job of every release.
pub const JOB: &str = "outbox_clean_up";

/// The type of event that [`Before::Declared`] makes.
pub const DECLARED: &str = "product.invoice_paid";
/// The hold that [`Before::Held`] makes.
pub const HOLD: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00de);

/// The run that [`Before::DeadRun`] makes.
pub const DEAD_RUN: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00dd);

/// The rotation that [`Before::Rotation`] makes.
pub const ROTATION: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00ee);

/// The token of the link that [`Before::Reset`] makes.
pub const RESET: &str = "fhp_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM";

fn reset(_: &Stage, _: &Tenant) -> Call {
    Call::default().body(json!({"token": RESET}))
}

fn rotation(_: &Stage, _: &Tenant) -> Call {
    Call::default().id("key_rotation_id", ROTATION)
}

fn job(_: &Stage, _: &Tenant) -> Call {
    Call { names: vec![("job_name", JOB)], ..Call::default() }
}

fn dead_run(_: &Stage, _: &Tenant) -> Call {
    Call::default().id("run_id", DEAD_RUN)
}

/// The token of whoever signs up in [`Before::SigningUp`].
pub const SIGN_UP_TOKEN: &str = "fhu_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM";

/// What each token of [`Before::Unproven`] begins with; the account follows.
pub const LINK_TOKENS: [(&str, &str); 2] = [("verification", "fhe_v_"), ("change", "fhe_c_")];

fn token(prefix: &str, tenant: &Tenant) -> Call {
    Call::default().body(json!({"token": format!("{prefix}{}", tenant.member.account)}))
}

fn decides(_: &Stage, tenant: &Tenant) -> Call {
    Call::default().id("recovery_id", wanted(tenant)).body(json!({"reason": "Called back"}))
}

fn decides_inside(stage: &Stage, tenant: &Tenant) -> Call {
    decides(stage, tenant).id("organization_id", tenant.id)
}

fn waiting(stage: &Stage, tenant: &Tenant) -> Call {
    inside(stage, tenant).id("sign_up_request_id", stage.waiting(tenant))
}

/// The device that [`Before::KnownDevice`] makes.
pub const DEVICE: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00ff);

fn managed(stage: &Stage, tenant: &Tenant) -> Call {
    inside(stage, tenant).id("account_id", tenant.subject.account)
}

fn account(_: &Stage, tenant: &Tenant) -> Call {
    Call::default().id("account_id", tenant.subject.account)
}

/// The cases, in the order of the registry.
const CASES: &[Case] = &[
    Case::new("health_live", plain),
    Case::new("health_ready", plain),
    Case::new("health_get", plain),
    Case::new("signature_keys_get", plain),
    Case::new("jwks_get", plain),
    Case::new("setup_get", plain),
    Case::new("setup_create", |stage, _| {
        Call::default().body(json!({
            "token": stage.setup_token, "email": "first@example.com", "name": "Ada", "password": PASSWORD,
            "token_delivery": "body",
        }))
    })
    .after(Before::NoAdministrator),
    Case::new("sessions_create", |_, tenant| {
        Call::default().body(json!({"email": tenant.member.email, "password": PASSWORD, "token_delivery": "body"}))
    }),
    Case::new("sessions_recovery", |stage, _| Call::default().body(json!({"challenge": stage.challenge})))
        .after(Before::Recovering),
    Case::new("recoveries_complete", |_, tenant| token(COMPLETES, tenant)).after(Before::Recovering),
    Case::new("recoveries_stop", |_, tenant| token(STOPS, tenant)).after(Before::Recovering),
    Case::new("sessions_refresh", |_, tenant| {
        Call::default().body(json!({"refresh_token": tenant.member.refresh_token}))
    }),
    Case::new("sign_up_options", plain),
    Case::new("sign_ups_create", |_, _| Call::default().body(json!({"email": "new@example.com"})))
        .after(Before::SigningUp),
    Case::new("sign_ups_lookup", |_, _| Call::default().body(json!({"token": SIGN_UP_TOKEN}))).after(Before::SigningUp),
    Case::new("sign_ups_verify", |_, _| {
        Call::default().body(json!({
            "token": SIGN_UP_TOKEN, "name": "Grace", "password": PASSWORD, "token_delivery": "body",
        }))
    })
    .after(Before::SigningUp),
    Case::new("password_resets_create", |_, tenant| Call::default().body(json!({"email": tenant.member.email}))),
    Case::new("password_resets_lookup", reset).after(Before::Reset),
    Case::new("password_resets_complete", |_, _| {
        Call::default().body(json!({"token": RESET, "password": "Granite-orchard-47"}))
    })
    .after(Before::Reset),
    Case::new("passwords_check", |_, tenant| {
        Call::default().body(json!({"token": tenant.pending.token, "password": PASSWORD, "name": "Grace"}))
    }),
    Case::new("invitations_lookup", |_, tenant| Call::default().body(json!({"token": tenant.pending.token}))),
    Case::new("invitations_accept", |_, tenant| {
        Call::default().body(json!({
            "token": tenant.pending.token, "name": "Grace", "password": PASSWORD, "token_delivery": "body",
        }))
    }),
    Case::new("session_end", plain),
    Case::new("session_reauthenticate", |_, _| Call::default().body(json!({"password": PASSWORD}))),
    Case::new("acting_end", plain).after(Before::Acting),
    Case::new("session_switch", |_, tenant| Call::default().body(json!({"organization_id": tenant.id}))),
    Case::new("sessions_list", plain),
    Case::new("sessions_get", |_, tenant| Call::default().id("session_id", tenant.member.session)),
    Case::new("sessions_end", |_, tenant| Call::default().id("session_id", tenant.member.session)),
    Case::new("sessions_end_all", plain),
    Case::new("known_devices_list", plain),
    Case::new("known_devices_forget", |_, _| Call::default().id("device_id", DEVICE)).after(Before::KnownDevice),
    Case::new("known_devices_forget_all", plain),
    Case::new("recovery_address_get", plain).after(Before::Recovering),
    Case::new("recovery_address_update", |_, _| Call::default().body(json!({"email": "other@example.net"})))
        .after(Before::Recovering),
    Case::new("recovery_address_verify", |_, tenant| token(PROVES, tenant)).after(Before::Recovering),
    Case::new("recovery_address_remove", plain).after(Before::Recovering),
    Case::new("own_recovery_stop", plain).after(Before::Recovering),
    Case::new("me_get", plain),
    Case::new("me_update", |_, _| Call::default().body(json!({"name": "Grace"}))),
    Case::new("me_email_get", plain),
    Case::new("me_email_verification_create", plain).after(Before::Unproven),
    Case::new("email_verifications_complete", |_, tenant| {
        Call::default().body(json!({"token": format!("fhe_v_{}", tenant.member.account)}))
    })
    .after(Before::Unproven),
    Case::new("me_email_change_create", |_, _| Call::default().body(json!({"email": "other@example.com"}))),
    Case::new("email_changes_complete", |_, tenant| {
        Call::default().body(json!({"token": format!("fhe_c_{}", tenant.member.account)}))
    })
    .after(Before::Unproven),
    Case::new("me_email_change_cancel", plain).after(Before::Unproven),
    Case::new("me_attributes_get", plain),
    Case::new("me_attributes_update", |_, _| Call::default().body(json!({"attributes": {"desk": "In the corner"}}))),
    Case::new("password_get", plain),
    Case::new("password_update", |_, _| {
        Call::default().body(json!({"current_password": PASSWORD, "password": "Granite-orchard-47"}))
    }),
    Case::new("password_check", |_, _| Call::default().body(json!({"password": PASSWORD}))),
    Case::new("password_profiles_list", plain),
    Case::new("me_invitations_accept", |_, tenant| Call::default().body(json!({"token": tenant.guest_token})))
        .by(|tenant| &tenant.guest),
    Case::new("own_alert_preferences_get", plain),
    Case::new("own_alert_preferences_update", |_, _| {
        let wanted = json!({"digest": "hourly", "minimum_severity": "low", "critical_at_once": false});
        Call::default().body(wanted)
    }),
    Case::new("event_types_list", plain),
    Case::new("roles_list", plain),
    Case::new("organizations_create", |_, _| Call::default().body(json!({"name": "Third", "slug": "third"}))),
    Case::new("organizations_list", plain),
    Case::new("organizations_restore", |stage, _| Call::default().id("organization_id", stage.closed)),
    Case::new("acting_start", |stage, tenant| inside(stage, tenant).body(json!({"reason": "Ticket 4711"}))),
    Case::new("settings_get", plain),
    Case::new("settings_update", |_, _| Call::default().body(json!({"organizations": {"grace_days": 60}}))),
    Case::new("settings_history_list", plain),
    Case::new("accounts_list", plain),
    Case::new("accounts_export", |_, _| Call::default().body(json!({"format": "csv"}))),
    Case::new("accounts_block", |stage, tenant| account(stage, tenant).body(json!({"reason": "Reported as lost"}))),
    Case::new("accounts_unblock", |stage, _| Call::default().id("account_id", stage.suspended)),
    Case::new("accounts_unlock", account).after(Before::Locked),
    Case::new("accounts_second_factors_disable", account).after(Before::SecondFactor),
    Case::new("accounts_second_factors_grace_reset", account),
    Case::new("recoveries_list", plain).after(Before::Recovering),
    Case::new("recoveries_approve", decides).after(Before::Recovering),
    Case::new("recoveries_refuse", decides).after(Before::Recovering),
    Case::new("accounts_manager_update", |stage, tenant| {
        account(stage, tenant).body(json!({"organization_id": stage.b.id}))
    }),
    Case::new("accounts_erase", account),
    Case::new("accounts_sessions_list", account),
    Case::new("accounts_sessions_end", account),
    Case::new("accounts_session_end", |stage, tenant| account(stage, tenant).id("session_id", tenant.subject.session)),
    Case::new("tenant_sessions_end", |stage, tenant| inside(stage, tenant).body(json!({"keep_current": true}))),
    Case::new("sessions_end_everybodys", |_, _| Call::default().body(json!({"keep_current": true}))),
    Case::new("jobs_list", plain),
    Case::new("jobs_get", job),
    Case::new("jobs_pause", job),
    Case::new("jobs_resume", job).after(Before::PausedJob),
    Case::new("job_runs_list", job),
    Case::new("job_runs_create", job),
    Case::new("job_runs_get", dead_run).after(Before::DeadRun),
    Case::new("job_runs_retry", dead_run).after(Before::DeadRun),
    Case::new("data_keys_list", plain),
    Case::new("data_keys_destroy", |stage, _| Call::default().id("data_key_id", stage.retired_key))
        .after(Before::RetiredKey),
    Case::new("key_rotations_preview", |_, _| Call { names: vec![("scope", "pii")], ..Call::default() }),
    Case::new("key_rotations_create", |_, _| Call::default().body(json!({"scope": "pii"}))),
    Case::new("key_rotations_list", plain),
    Case::new("key_rotations_get", rotation).after(Before::Rotation),
    Case::new("key_rotations_pause", rotation).after(Before::Rotation),
    Case::new("key_rotations_resume", rotation).after(Before::Rotation),
    Case::new("signing_keys_list", plain),
    Case::new("signing_keys_rotate", |_, _| {
        Call::default().body(json!({"previous": "keep", "reason": "Before the audit"}))
    }),
    Case::new("legal_holds_list", plain),
    Case::new("legal_holds_create", |_, tenant| {
        Call::default().body(json!({"organization_id": tenant.id, "reason": "Case 4711"}))
    }),
    Case::new("legal_holds_get", |_, _| Call::default().id("legal_hold_id", HOLD)).after(Before::Held),
    Case::new("legal_holds_release", |_, _| {
        Call::default().id("legal_hold_id", HOLD).body(json!({"reason": "Closed"}))
    })
    .after(Before::Held),
    Case::new("instances_list", plain),
    Case::new("errors_stats", plain),
    Case::new("limits_list", plain),
    Case::new("organizations_get", inside),
    Case::new("organizations_update", |stage, tenant| {
        inside(stage, tenant).body(json!({"name": "Renamed", "slug": "renamed"}))
    }),
    Case::new("organizations_delete", inside),
    Case::new("platform_accesses_list", inside),
    Case::new("overview_get", inside),
    Case::new("second_factor_adoption_get", inside),
    Case::new("organization_settings_get", inside),
    Case::new("organization_settings_update", |stage, tenant| {
        inside(stage, tenant).body(json!({"passwords": {"minimum_length": 16}, "invitations": {"lifetime_days": null}}))
    }),
    Case::new("organization_settings_history_list", inside),
    Case::new("members_list", inside),
    Case::new("members_export", |stage, tenant| inside(stage, tenant).body(json!({"format": "json_lines"}))),
    Case::new("members_get", subject),
    Case::new("members_update", |stage, tenant| {
        subject(stage, tenant).body(json!({"role": "manager", "status": "active"}))
    }),
    Case::new("member_attributes_get", subject),
    Case::new("member_attributes_update", |stage, tenant| {
        subject(stage, tenant).body(json!({"attributes": {"desk": "In the corner", "site": "South"}}))
    }),
    Case::new("members_remove", subject),
    Case::new("member_sessions_list", subject),
    Case::new("member_sessions_end", |stage, tenant| subject(stage, tenant).id("session_id", tenant.subject.session)),
    Case::new("member_sessions_end_all", subject),
    Case::new("organization_sessions_end", |stage, tenant| inside(stage, tenant).body(json!({"keep_current": true}))),
    Case::new("managed_accounts_list", inside),
    Case::new("managed_accounts_block", |stage, tenant| {
        managed(stage, tenant).body(json!({"reason": "Left the company"}))
    }),
    Case::new("managed_accounts_unblock", managed).after(Before::Blocked),
    Case::new("managed_accounts_unlock", managed).after(Before::Locked),
    Case::new("managed_accounts_second_factors_disable", managed).after(Before::SecondFactor),
    Case::new("managed_accounts_second_factors_grace_reset", managed),
    Case::new("organization_recoveries_list", inside).after(Before::Recovering),
    Case::new("organization_recoveries_approve", decides_inside).after(Before::Recovering),
    Case::new("organization_recoveries_refuse", decides_inside).after(Before::Recovering),
    Case::new("managed_accounts_sessions_end", managed),
    Case::new("teams_list", inside),
    Case::new("teams_create", |stage, tenant| {
        inside(stage, tenant).body(json!({"name": "Night shift", "description": "On call", "role": "manager"}))
    }),
    Case::new("teams_get", team),
    Case::new("teams_update", |stage, tenant| {
        team(stage, tenant).body(json!({"name": "Day shift", "description": "At work", "role": "manager"}))
    }),
    Case::new("teams_delete", team),
    Case::new("team_members_list", team),
    Case::new("team_members_add", |stage, tenant| team(stage, tenant).id("member_id", tenant.member.membership)),
    Case::new("team_members_remove", |stage, tenant| team(stage, tenant).id("member_id", tenant.subject.membership)),
    Case::new("permissions_list", inside),
    Case::new("custom_roles_list", inside),
    Case::new("custom_roles_create", |stage, tenant| {
        let permissions = ["invitations_create", "invitations_list"];
        inside(stage, tenant).body(json!({"name": "Host", "description": "Invites", "permissions": permissions}))
    }),
    Case::new("custom_roles_get", custom_role),
    Case::new("custom_roles_update", |stage, tenant| {
        custom_role(stage, tenant).body(json!({"name": "Porter", "description": "Out", "permissions": ["teams_list"]}))
    }),
    Case::new("custom_roles_delete", custom_role),
    Case::new("service_accounts_list", inside),
    Case::new("service_accounts_create", |stage, tenant| {
        inside(stage, tenant).body(json!({"name": "Robot", "description": "Moves boxes", "role": "manager"}))
    }),
    Case::new("service_accounts_get", service),
    Case::new("service_accounts_update", |stage, tenant| {
        service(stage, tenant).body(json!({"name": "Drone", "description": "Flies", "role": "auditor"}))
    }),
    Case::new("service_accounts_disable", service),
    Case::new("service_accounts_enable", service).after(Before::DisabledService),
    Case::new("service_accounts_delete", service),
    Case::new("api_keys_list", service),
    Case::new("api_keys_create", |stage, tenant| {
        let networks = ["192.0.2.0/24", "2001:db8::/32"];
        let (name, end) = ("Production", "2099-12-31T00:00:00Z");
        service(stage, tenant).body(json!({"name": name, "expires_at": end, "allowed_networks": networks}))
    }),
    Case::new("api_keys_revoke", |stage, tenant| service(stage, tenant).id("api_key_id", tenant.api_key)),
    Case::new("attributes_list", inside),
    Case::new("attributes_create", |stage, tenant| {
        inside(stage, tenant).body(json!({
            "key": "shirt", "label": "Shirt", "description": "For the summer party", "type": "choice",
            "options": ["S", "M", "L"], "required": false, "visible_to": "managers", "editable_by": "managers",
            "searchable": true,
        }))
    }),
    Case::new("attributes_get", site),
    Case::new("attributes_update", |stage, tenant| {
        site(stage, tenant).body(json!({
            "label": "Place", "description": "Where they work", "options": ["East"], "visible_to": "managers",
            "sealed_in": null, "position": 0, "archived": true,
        }))
    }),
    Case::new("attributes_delete", site),
    Case::new("invitations_create", |stage, tenant| {
        let (email, teams) = ("new@example.com", [tenant.team]);
        inside(stage, tenant).body(json!({"email": email, "role": "member", "team_ids": teams, "message": "Welcome"}))
    }),
    Case::new("invitations_create_bulk", |stage, tenant| {
        let invitations = [json!({"email": "one@example.com", "role": "member", "team_ids": [tenant.team]})];
        inside(stage, tenant).body(json!({"invitations": invitations}))
    }),
    Case::new("invitations_list", inside),
    Case::new("invitations_get", pending),
    Case::new("invitations_resend", pending),
    Case::new("invitations_revoke", pending),
    Case::new("sign_up_requests_list", inside),
    Case::new("sign_up_requests_get", waiting).after(Before::SigningUp),
    Case::new("sign_up_requests_approve", waiting).after(Before::SigningUp),
    Case::new("sign_up_requests_reject", |stage, tenant| {
        waiting(stage, tenant).body(json!({"reason": "Nobody here knows you"}))
    })
    .after(Before::SigningUp),
    Case::new("imports_create", |stage, tenant| {
        inside(stage, tenant).body(json!({"content": "ZW1haWwKZ3JhY2VAZXhhbXBsZS5jb20K", "format": "csv"}))
    }),
    Case::new("imports_list", inside),
    Case::new("imports_get", import),
    Case::new("imports_parts_add", |stage, tenant| {
        let part = json!({"offset": tenant.import_bytes, "content": "am9hbkBleGFtcGxlLmNvbQo="});
        import(stage, tenant).body(part)
    }),
    Case::new("imports_start", |stage, tenant| import(stage, tenant).body(json!({"dry_run": true}))),
    Case::new("imports_pause", import).after(Before::RunningImport),
    Case::new("imports_resume", import).after(Before::PausedImport),
    Case::new("imports_cancel", import),
    Case::new("import_lines_list", import),
    Case::new("import_report_get", import),
    Case::new("events_open", plain),
    Case::new("rbac_policies_get", plain),
    Case::new("rbac_policies_diff", plain),
    Case::new("rbac_policies_simulate", |_, _| {
        Call::default().body(json!({"changes": [{"operation": "teams_list", "minimum_role": "admin"}], "days": 30}))
    }),
    Case::new("rbac_explain", |_, tenant| {
        let (who, operation) = (tenant.member.account, "members_get");
        Call::default().body(json!({"account_id": who, "operation": operation, "object": "own"}))
    }),
    Case::new("rbac_simulate", |_, tenant| {
        let change = json!({"change": "member_role", "account_id": tenant.member.account, "role": "manager"});
        Call::default().body(json!({"changes": [change], "days": 90, "limit": 10}))
    }),
    Case::new("organization_policies_get", inside),
    Case::new("organization_policies_diff", inside),
    Case::new("audit_list", inside),
    Case::new("audit_export", inside),
    Case::new("audit_get", |stage, tenant| inside(stage, tenant).id("entry_id", tenant.entry)),
    Case::new("alerts_list", inside),
    Case::new("alerts_count", inside),
    Case::new("alerts_get", alert),
    Case::new("alerts_acknowledge", |stage, tenant| alert(stage, tenant).body(json!({"note": "A test"}))),
    Case::new("alerts_reopen", |stage, tenant| alert(stage, tenant).body(json!({"note": "Another"})))
        .after(Before::AcknowledgedAlert),
    Case::new("alerts_mute", |stage, tenant| alert(stage, tenant).body(json!({"until": tomorrow(stage)}))),
    Case::new("alerts_unmute", alert).after(Before::MutedAlert),
    Case::new("product_event_types_list", inside).after(Before::Declared),
    Case::new("product_event_types_declare", |stage, tenant| {
        event_type(stage, tenant).body(json!({
            "title": "Invoice paid at last", "meaning": "A customer paid.", "severity": "high", "class": "normal",
            "target_type": "invoice", "details": [{"name": "amount", "meaning": "In cents.", "personal": false}],
        }))
    }),
    Case::new("product_event_types_retire", event_type).after(Before::Declared),
    Case::new("product_events_record", |stage, tenant| {
        inside(stage, tenant).body(json!({"event": DECLARED, "outcome": "failed", "metadata": {"amount": 4711}}))
    })
    .after(Before::Declared),
    Case::new("alert_rules_list", inside),
    Case::new("alert_rules_create", |stage, tenant| {
        inside(stage, tenant).body(json!({
            "name": "Exports", "at_least": "high", "count": 3, "window_minutes": 60, "by": "actor", "severity": "high",
        }))
    }),
    Case::new("alert_rules_get", alert_rule),
    Case::new("alert_rules_update", |stage, tenant| {
        alert_rule(stage, tenant).body(json!({
            "name": "Keys", "event": "api_key.created", "count": 2, "window_minutes": 5, "by": "organization",
            "severity": "low", "enabled": false,
        }))
    }),
    Case::new("alert_rules_delete", alert_rule),
    Case::new("alert_rules_mute", |stage, tenant| {
        inside(stage, tenant).body(json!({"rule": RULE, "until": tomorrow(stage)}))
    }),
    Case::new("alert_rules_unmute", |stage, tenant| Call { names: vec![("rule", RULE)], ..inside(stage, tenant) })
        .after(Before::MutedRule),
    Case::new("audit_seals_get", inside),
    Case::new("audit_checkpoints_list", inside),
    Case::new("audit_evidence_get", inside),
];

/// Proves AZ-4.
#[test]
fn every_operation_has_one_case_and_one_line_of_the_registry() {
    let mut failures = Failures::default();
    let operations: BTreeSet<_> = contract::operations().iter().map(|operation| operation.id.as_str()).collect();
    let mut cases = BTreeSet::new();
    for case in all() {
        if !cases.insert(case.operation) {
            failures.note(case.operation, "has two cases; remove one in tests/it/coverage/cases.rs");
        }
        if !operations.contains(case.operation) {
            failures.note(case.operation, "is no operation any more; remove its Case in tests/it/coverage/cases.rs");
        }
    }
    for operation in operations.difference(&cases) {
        failures.note(operation, "add a Case for it in tests/it/coverage/cases.rs");
    }
    let policies = contract::policies();
    let unknown = |id: &str| !operations.contains(id) && !contract::is_left_out(id);
    for row in policies.rows().iter().filter(|row| unknown(row.operation.as_str())) {
        failures.note(&row.operation, "is in policies/operations.csv and not in openapi/openapi.json: make openapi");
    }
    for operation in contract::operations() {
        if operation.registered != serde_json::to_value(&operation.policy).unwrap() {
            failures.note(&operation.id, "x-freehold is not its line of policies/operations.csv: make openapi");
        }
    }
    failures.report();
}
