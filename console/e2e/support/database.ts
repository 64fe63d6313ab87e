/**
 * Brings about in the database what a story can't wait for or bring about through the API: time that
 * has passed, an instance that stays behind, a run that failed for good. The server reads it as its own.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { server } from "./people";

const run = promisify(execFile);

/** Runs a statement as the database's owner. */
async function sql(statement: string): Promise<void> {
  const text = async (name: string) =>
    (await readFile(join(server.databaseDir, name), "utf8")).trim();
  const [port, password] = await Promise.all([text("port"), text("owner.password")]);
  const env = { ...process.env, PGPASSWORD: password, PGSSLMODE: "disable" };
  const owner = ["-h", "127.0.0.1", "-p", port, "-U", "freehold_owner", "-d", "freehold"];
  await run("psql", [...owner, "-qX", "-v", "ON_ERROR_STOP=1", "-c", statement], { env });
}

/** Lets the key that seals in a scope be this old. */
export async function ageKey(scope: string, days: number): Promise<void> {
  const then = `now() - interval '${days} days'`;
  await sql(
    `UPDATE data_keys SET created_at = ${then}, activated_at = ${then}
     WHERE scope = '${scope}' AND state = 'active'`,
  );
}

/** The last code by e-mail was sent a while ago, so that another can be had. */
export async function codesWereSentLongAgo(): Promise<void> {
  await sql("UPDATE email_codes SET sent = '{}'");
}

const straggler = "01900000-0000-7000-8000-00000000f00d";

/** An instance that says that it is there, and never gets to know the keys. */
export async function stragglerComes(): Promise<void> {
  await sql(
    `INSERT INTO instances (id, name, version, started_at, seen_at)
     SELECT '${straggler}', 'straggler', version, now(), now() + interval '1 hour'
     FROM instances LIMIT 1`,
  );
}

export async function stragglerGoes(): Promise<void> {
  await sql(`DELETE FROM instances WHERE id = '${straggler}'`);
}

/** A rotation goes on, but the run that worked on it has failed for good. */
export async function rotationFails(scope: string, error: string): Promise<void> {
  await sql(
    `UPDATE key_rotations SET paused = false WHERE scope = '${scope}' AND finished_at IS NULL;
     UPDATE job_runs SET state = 'dead', error = '${error}', leased_until = NULL,
         finished_at = now()
     WHERE id = (SELECT max(id::text)::uuid FROM job_runs WHERE job = 'keys_rotate')`,
  );
}

const newcomer = "01900000-0000-7000-8000-00000000beef";

/**
 * An instance of another release enforces another policy: managers don't list members any more, and one
 * operation has another name.
 */
export async function otherPolicyComes(): Promise<void> {
  await sql(
    `WITH newest AS (SELECT * FROM policy_revisions ORDER BY number DESC LIMIT 1),
     changed AS (
         SELECT jsonb_set(map::jsonb, '{operations}', (
             SELECT jsonb_agg(CASE o->>'operation'
                 WHEN 'members_list' THEN jsonb_set(
                     jsonb_set(o, '{minimum_role}', '"admin"'), '{decisions,manager}', '"deny"')
                 WHEN 'teams_get' THEN jsonb_set(o, '{operation}', '"teams_show"')
                 ELSE o END)
             FROM jsonb_array_elements(map::jsonb->'operations') o))::text AS map FROM newest),
     added AS (
         INSERT INTO policy_revisions
             (id, number, digest, map, operations, roles, model, release, since)
         SELECT gen_random_uuid(), number + 1, sha256(convert_to(changed.map, 'UTF8')), changed.map,
             operations, roles, model, '0.2.0', clock_timestamp() FROM newest, changed
         RETURNING digest)
     INSERT INTO instances (id, name, version, started_at, seen_at, policy_digest)
     SELECT '${newcomer}', 'newcomer', '0.2.0', now(), now() + interval '1 hour', digest FROM added`,
  );
}

/** It goes, and the policy of this release is in force again. */
export async function otherPolicyGoes(): Promise<void> {
  await sql(`DELETE FROM instances WHERE id = '${newcomer}'`);
}
