//! A write with its audit entry, beside pgbench with the same statements (PERF-5).

use crate::{
    Effort,
    installation::{Installation, People},
    table::{Row, Table, median},
    tools,
};

/// Connections that write at once.
const CONNECTIONS: usize = 8;

pub async fn measure(installation: &Installation, people: &People, effort: Effort, table: &mut Table) {
    println!("measuring writes");
    let url = format!("{}/v1/me", installation.instances[0].url);
    // Each writes to a row of their own, as people do.
    let tokens: Vec<String> = people.members.iter().map(|member| format!("'{}'", member.token)).collect();
    let script = format!(
        "wrk.method = 'PATCH'; wrk.headers['Content-Type'] = 'application/json'
         local tokens = {{{}}}; local at = 0
         request = function()
             at = at % #tokens + 1
             wrk.headers['Authorization'] = 'Bearer ' .. tokens[at]
             return wrk.format(nil, nil, nil, '{{\"name\":\"Grace ' .. at .. '\"}}')
         end",
        tokens.join(",")
    );
    let statements = statements(people);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    tools::wrk(&url, CONNECTIONS, effort.span / 3, &script).await;
    for _ in 0..effort.rounds {
        let seen = tools::wrk(&url, CONNECTIONS, effort.span, &script).await;
        assert_eq!(seen.failures, 0, "writes failed");
        ours.push(seen.per_second);
        let url = installation.database_url();
        theirs.push(tools::pgbench(url.expose(), CONNECTIONS, effort.span, &statements).await);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    table.add(Row {
        id: "PERF-5",
        what: "PATCH /v1/me with its audit entry".to_owned(),
        measured: format!("{ours:.0}/s"),
        limit: format!("pgbench with the same statements {theirs:.0}/s"),
        target: "≥ 50 %",
        result: format!("{:.0} %", 100.0 * ours / theirs),
        reached: ours / theirs >= 0.5,
    });
}

/// What the server sends for one such write, as the log of PostgreSQL's statements has it.
fn statements(people: &People) -> String {
    let accounts: Vec<String> = people.members.iter().map(|member| format!("'{}'", member.account)).collect();
    let pick = format!("(ARRAY[{}])[1 + :n]::uuid", accounts.join(","));
    format!(
        "\\set n random(0, {})
         BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
         SELECT set_config('freehold.organization', '', true), set_config('freehold.account', {pick}::text, true);
         SELECT * FROM accounts WHERE id = {pick} FOR UPDATE;
         UPDATE accounts SET name = name, version = version + 1, updated_at = now()
             WHERE id = {pick} RETURNING *;
         DELETE FROM account_matches WHERE account_id = {pick} AND field = 'word';
         INSERT INTO account_matches (account_id, value, field, key_id)
             SELECT {pick}, sha256(convert_to(word || gen_random_uuid(), 'UTF8')), 'word',
                 (SELECT id FROM data_keys WHERE scope = 'pii' AND state = 'active')
             FROM unnest(ARRAY['grace', '17', 'member17', 'example', 'com']) AS words (word);
         WITH entry AS (SELECT gen_random_uuid() AS id),
         entries AS (
             INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type,
                 actor_id, target_type, target_id, request_id, metadata)
             SELECT id, platform_organization(), now(), 'account.updated', 'low', 'normal', 'success', 'account', {pick},
                 'account', {pick}, gen_random_uuid()::text, '{{\"fields\": \"name\"}}' FROM entry
         ), words AS (
             INSERT INTO audit_words (organization_id, word, entry_id) SELECT platform_organization(), word, id
             FROM entry, unnest(ARRAY['account', 'updated', 'success', 'name', 'account.updated', gen_random_uuid()::text,
             gen_random_uuid()::text]) AS words (word)
         )
         INSERT INTO audit_personal (id, organization_id, account_id, address)
             SELECT id, platform_organization(), {pick}, decode(repeat('5c', 54), 'hex') FROM entry;
         COMMIT;
        ",
        people.members.len() - 1
    )
}
