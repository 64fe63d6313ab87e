/**
 * Every read of the console, as query options: one place for keys, so that a change can refresh
 * exactly what it touched. What belongs to an organisation has its id in the key.
 */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import type { paths } from "./schema.gen";
import { csrfToken, renewSession } from "./session";
import type {
  AuditEntry,
  DataKey,
  Import,
  ImportLine,
  JobRun,
  KeyRotation,
  Me,
  Organization,
  Page,
  Settings,
  SettingsChange,
  Team,
} from "./types";

type Query<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } }
  ? NonNullable<Q>
  : never;

export type MemberFilter = Query<"/v1/organizations/{organization_id}/members">;
export type TeamFilter = Query<"/v1/organizations/{organization_id}/teams">;
export type InvitationFilter = Query<"/v1/organizations/{organization_id}/invitations">;
export type SignUpFilter = Query<"/v1/organizations/{organization_id}/sign-up-requests">;
export type AuditFilter = Query<"/v1/organizations/{organization_id}/audit">;
export type PlatformAccessFilter = Query<"/v1/organizations/{organization_id}/platform-access">;
export type OrganizationFilter = Query<"/v1/organizations">;
export type ManagedAccountFilter = Query<"/v1/organizations/{organization_id}/managed-accounts">;
export type AccountFilter = Query<"/v1/accounts">;

/** Rows on a page of a list. */
export const pageSize = 50;

export const keys = {
  me: ["me"] as const,
  sessions: ["me", "sessions"] as const,
  email: ["me", "email"] as const,
  knownDevices: ["me", "known-devices"] as const,
  organization: (id: string) => ["organization", id] as const,
  members: (id: string) => ["organization", id, "members"] as const,
  managedAccounts: (id: string) => ["organization", id, "managed-accounts"] as const,
  teams: (id: string) => ["organization", id, "teams"] as const,
  serviceAccounts: (id: string) => ["organization", id, "service-accounts"] as const,
  attributes: (id: string) => ["organization", id, "attributes"] as const,
  profiles: (id: string) => ["organization", id, "profiles"] as const,
  invitations: (id: string) => ["organization", id, "invitations"] as const,
  signUps: (id: string) => ["organization", id, "sign-ups"] as const,
  imports: (id: string) => ["organization", id, "imports"] as const,
  alerts: (id: string) => ["organization", id, "alerts"] as const,
  audit: (id: string) => ["organization", id, "audit"] as const,
  decisions: (id: string) => ["organization", id, "decisions"] as const,
  policies: (id: string | null) =>
    id === null ? (["platform", "policies"] as const) : (["organization", id, "policies"] as const),
  platformAccess: (id: string) => ["organization", id, "platform-access"] as const,
  settings: (id: string | null) =>
    id === null ? (["platform", "settings"] as const) : (["organization", id, "settings"] as const),
  overview: (organization: string) => ["organization", organization, "overview"] as const,
  organizations: ["platform", "organizations"] as const,
  accounts: ["platform", "accounts"] as const,
  jobs: ["platform", "jobs"] as const,
  instances: ["platform", "instances"] as const,
  limits: ["platform", "limits"] as const,
  legalHolds: ["platform", "legal-holds"] as const,
  dataKeys: ["platform", "data-keys"] as const,
  keyRotations: ["platform", "key-rotations"] as const,
};

/** Who is signed in, where, and what they may do there. */
export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: ({ signal }) => take(api.GET("/v1/me", { signal })),
  staleTime: 30_000,
});

/** The same for pages that work signed out too: null without asking when there is no session. */
export const maybeMeQuery = queryOptions({
  queryKey: [...keys.me, "maybe"],
  queryFn: async ({ signal }): Promise<Me | null> => {
    if (!csrfToken()) return null;
    const sentAt = Date.now();
    const ask = () => fetch("/v1/me", { signal, headers: { accept: "application/json" } });
    let response = await ask();
    if (response.status === 401 && (await renewSession(sentAt))) response = await ask();
    return response.ok ? ((await response.json()) as Me) : null;
  },
  staleTime: 0,
});

export const setupQuery = queryOptions({
  queryKey: ["setup"],
  queryFn: ({ signal }) => take(api.GET("/v1/setup", { signal })),
});

/** Since when the person has their password, and what a new one must be. */
export const passwordQuery = queryOptions({
  queryKey: [...keys.me, "password"],
  queryFn: ({ signal }) => take(api.GET("/v1/me/password", { signal })),
});

/** The built-in sets of rules for passwords. */
export const passwordProfilesQuery = queryOptions({
  queryKey: ["password-profiles"],
  queryFn: async ({ signal }) => (await take(api.GET("/v1/password-profiles", { signal }))).items,
  staleTime: 300_000,
});

export const rolesQuery = queryOptions({
  queryKey: ["roles"],
  queryFn: async ({ signal }) => (await take(api.GET("/v1/roles", { signal }))).items,
  staleTime: 300_000,
});

export const sessionsQuery = (query: { cursor?: string } = {}) =>
  queryOptions({
    queryKey: [...keys.sessions, query],
    queryFn: ({ signal }) => take(api.GET("/v1/me/sessions", { signal, params: { query } })),
    placeholderData: keepPreviousData,
  });

/** There are at most twenty. */
export const knownDevicesQuery = queryOptions({
  queryKey: keys.knownDevices,
  queryFn: ({ signal }) => take(api.GET("/v1/me/known-devices", { signal })),
});

const path = "/v1/organizations/{organization_id}" as const;

export const organizationQuery = (organization_id: string) =>
  queryOptions({
    queryKey: [...keys.organization(organization_id), "self"],
    queryFn: ({ signal }) => take(api.GET(path, { signal, params: { path: { organization_id } } })),
  });

export const membersQuery = (organization_id: string, query: MemberFilter = {}) =>
  queryOptions({
    queryKey: [...keys.members(organization_id), query],
    queryFn: ({ signal }) =>
      take(api.GET(`${path}/members`, { signal, params: { path: { organization_id }, query } })),
    placeholderData: keepPreviousData,
  });

export const memberQuery = (organization_id: string, member_id: string) =>
  queryOptions({
    queryKey: [...keys.members(organization_id), "one", member_id],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/members/{member_id}`, {
          signal,
          params: { path: { organization_id, member_id } },
        }),
      ),
  });

/** What the organisation's attributes say of a member, as far as one sees it. */
export const memberProfileQuery = (organization_id: string, member_id: string) =>
  queryOptions({
    queryKey: [...keys.profiles(organization_id), member_id],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/members/{member_id}/attributes`, {
          signal,
          params: { path: { organization_id, member_id } },
        }),
      ),
  });

/** The same of oneself, in the organisation that the session is in. */
export const myProfileQuery = (organization_id: string) =>
  queryOptions({
    queryKey: [...keys.profiles(organization_id), "own"],
    queryFn: ({ signal }) => take(api.GET("/v1/me/attributes", { signal })),
  });

/** The attributes of an organisation. There are at most 50. */
export const attributesQuery = (organization_id: string) =>
  queryOptions({
    queryKey: keys.attributes(organization_id),
    queryFn: ({ signal }) =>
      take(api.GET(`${path}/attributes`, { signal, params: { path: { organization_id } } })),
  });

export const managedAccountsQuery = (organization_id: string, query: ManagedAccountFilter = {}) =>
  queryOptions({
    queryKey: [...keys.managedAccounts(organization_id), query],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/managed-accounts`, {
          signal,
          params: { path: { organization_id }, query },
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const teamsQuery = (organization_id: string, query: TeamFilter = {}) =>
  queryOptions({
    queryKey: [...keys.teams(organization_id), query],
    queryFn: ({ signal }) =>
      take(api.GET(`${path}/teams`, { signal, params: { path: { organization_id }, query } })),
    placeholderData: keepPreviousData,
  });

/** Every team, by name. There are at most 500. */
export const allTeamsQuery = (organization_id: string) =>
  queryOptions({
    queryKey: [...keys.teams(organization_id), "all"],
    queryFn: async ({ signal }) => {
      const teams: Team[] = [];
      let cursor: string | undefined;
      do {
        const query = { limit: 200, cursor };
        const page = await take(
          api.GET(`${path}/teams`, { signal, params: { path: { organization_id }, query } }),
        );
        teams.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return teams.toSorted((a, b) => a.name.localeCompare(b.name));
    },
  });

export const teamQuery = (organization_id: string, team_id: string) =>
  queryOptions({
    queryKey: [...keys.teams(organization_id), "one", team_id],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/teams/{team_id}`, {
          signal,
          params: { path: { organization_id, team_id } },
        }),
      ),
  });

export const teamMembersQuery = (organization_id: string, team_id: string) =>
  infiniteQueryOptions({
    queryKey: [...keys.teams(organization_id), "members", team_id],
    queryFn: ({ signal, pageParam }) =>
      take(
        api.GET(`${path}/teams/{team_id}/members`, {
          signal,
          params: {
            path: { organization_id, team_id },
            query: { limit: pageSize, cursor: pageParam ?? undefined },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? null,
  });

export const invitationsQuery = (organization_id: string, query: InvitationFilter = {}) =>
  queryOptions({
    queryKey: [...keys.invitations(organization_id), query],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/invitations`, { signal, params: { path: { organization_id }, query } }),
      ),
    placeholderData: keepPreviousData,
  });

/** Who signed up and waits, or has waited. */
export const signUpsQuery = (organization_id: string, query: SignUpFilter = {}) =>
  queryOptions({
    queryKey: [...keys.signUps(organization_id), query],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/sign-up-requests`, {
          signal,
          params: { path: { organization_id }, query },
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** How people come in without an invitation: into an organisation, or for an account alone. */
export const signUpOptionsQuery = (organization?: string) =>
  queryOptions({
    queryKey: ["sign-up-options", organization ?? null],
    queryFn: ({ signal }) =>
      take(api.GET("/v1/sign-ups/options", { signal, params: { query: { organization } } })),
  });

/** One's own address. */
export const emailQuery = queryOptions({
  queryKey: keys.email,
  queryFn: ({ signal }) => take(api.GET("/v1/me/email", { signal })),
});

export const invitationQuery = (organization_id: string, invitation_id: string) =>
  queryOptions({
    queryKey: [...keys.invitations(organization_id), "one", invitation_id],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/invitations/{invitation_id}`, {
          signal,
          params: { path: { organization_id, invitation_id } },
        }),
      ),
  });

export const importsQuery = (
  organization_id: string,
  query: Query<"/v1/organizations/{organization_id}/imports"> = {},
) =>
  queryOptions({
    queryKey: [...keys.imports(organization_id), query],
    queryFn: ({ signal }) =>
      take(api.GET(`${path}/imports`, { signal, params: { path: { organization_id }, query } })),
    placeholderData: keepPreviousData,
  });

export const importQuery = (organization_id: string, import_id: string) =>
  queryOptions({
    queryKey: [...keys.imports(organization_id), "one", import_id],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/imports/{import_id}`, {
          signal,
          params: { path: { organization_id, import_id } },
        }),
      ),
  });

/** What became of an import's lines, page after page. They are read again as it comes further. */
export const importLinesQuery = (row: Import, outcome: ImportLine["outcome"] | undefined) =>
  infiniteQueryOptions({
    queryKey: [
      ...keys.imports(row.organization_id),
      "lines",
      row.id,
      { outcome, state: row.state, read: row.lines_read },
    ],
    queryFn: ({ signal, pageParam }) =>
      take(
        api.GET(`${path}/imports/{import_id}/lines`, {
          signal,
          params: {
            path: { organization_id: row.organization_id, import_id: row.id },
            query: { outcome, limit: pageSize, cursor: pageParam ?? undefined },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? null,
    placeholderData: keepPreviousData,
  });

export const auditQuery = (organization_id: string, query: AuditFilter = {}) =>
  queryOptions({
    queryKey: [...keys.audit(organization_id), query],
    queryFn: async ({ signal }) =>
      (await take(
        api.GET(`${path}/audit`, { signal, params: { path: { organization_id }, query } }),
      )) as Page<AuditEntry>,
    placeholderData: keepPreviousData,
  });

export const auditEntryQuery = (organization_id: string, entry_id: string) =>
  queryOptions({
    queryKey: [...keys.audit(organization_id), "one", entry_id],
    queryFn: async ({ signal }) =>
      (await take(
        api.GET(`${path}/audit/{entry_id}`, {
          signal,
          params: { path: { organization_id, entry_id } },
        }),
      )) as AuditEntry,
  });

export const platformAccessQuery = (organization_id: string, query: PlatformAccessFilter = {}) =>
  queryOptions({
    queryKey: [...keys.platformAccess(organization_id), query],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/platform-access`, {
          signal,
          params: { path: { organization_id }, query },
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** Settings of an organisation; of the platform without one. */
export const settingsQuery = (organization_id: string | null) =>
  queryOptions({
    queryKey: [...keys.settings(organization_id), "self"],
    queryFn: async ({ signal }): Promise<Settings> =>
      organization_id === null
        ? take(api.GET("/v1/settings", { signal }))
        : take(api.GET(`${path}/settings`, { signal, params: { path: { organization_id } } })),
  });

/** Every version of them, newest first, page after page. */
export const settingsHistoryQuery = (organization_id: string | null) =>
  infiniteQueryOptions({
    queryKey: [...keys.settings(organization_id), "history"],
    queryFn: async ({ signal, pageParam }): Promise<Page<SettingsChange>> => {
      const query = { limit: 20, cursor: pageParam };
      return organization_id === null
        ? take(api.GET("/v1/settings/history", { signal, params: { query } }))
        : take(
            api.GET(`${path}/settings/history`, {
              signal,
              params: { path: { organization_id }, query },
            }),
          );
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });

export const organizationsQuery = (query: OrganizationFilter = {}) =>
  queryOptions({
    queryKey: [...keys.organizations, query],
    queryFn: ({ signal }) => take(api.GET("/v1/organizations", { signal, params: { query } })),
    placeholderData: keepPreviousData,
  });

/** Every tenant that is there, by name: page after page, because one of them is to be chosen. */
export const tenantsQuery = queryOptions({
  queryKey: [...keys.organizations, "tenants"],
  queryFn: async ({ signal }) => {
    const tenants: Organization[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: 200, cursor, status: "active" as const };
      const page = await take(api.GET("/v1/organizations", { signal, params: { query } }));
      tenants.push(...page.items.filter(({ kind }) => kind === "tenant"));
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    return tenants.toSorted((a, b) => a.name.localeCompare(b.name));
  },
});

export const accountsQuery = (query: AccountFilter = {}) =>
  queryOptions({
    queryKey: [...keys.accounts, query],
    queryFn: ({ signal }) => take(api.GET("/v1/accounts", { signal, params: { query } })),
    placeholderData: keepPreviousData,
  });

/** Whether a run will still change by itself. */
export function isUnderWay(run: JobRun | undefined): boolean {
  return run?.state === "queued" || run?.state === "running";
}

/**
 * Milliseconds until what one looks at closely is read again while it changes by itself, and until a list is that one
 * of its items does. A person has a hundred calls a minute (limits.account_quota), and a page may show a few of both.
 */
export const closely = 2_000;
export const fromAfar = 5_000;

/** Milliseconds until a list is read again: soon while something in it is under way. */
const pace = (underWay: boolean | undefined) => (underWay ? fromAfar : 15_000);

export const jobsQuery = queryOptions({
  queryKey: [...keys.jobs, "list"],
  queryFn: ({ signal }) => take(api.GET("/v1/jobs", { signal })),
  refetchInterval: ({ state }) =>
    pace(state.data?.items.some(({ last_run }) => isUnderWay(last_run))),
  // Also when nothing changed: "in 5 minutes" is "in 4 minutes" by then.
  notifyOnChangeProps: "all",
});

/** Runs on a page of a job's history. */
const runsPage = 20;

export const jobRunsQuery = (job_name: string, cursor?: string) =>
  queryOptions({
    queryKey: [...keys.jobs, job_name, "runs", { cursor }],
    queryFn: ({ signal }) =>
      take(
        api.GET("/v1/jobs/{job_name}/runs", {
          signal,
          params: { path: { job_name }, query: { cursor, limit: runsPage } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => pace(state.data?.items.some(isUnderWay)),
  });

/** By the server's clock: the viewer's may be wrong, where a second or two count. */
async function answeredAt(call: Promise<{ response: Response }>): Promise<string> {
  const date = (await call).response.headers.get("date");
  return (date ? new Date(date) : new Date()).toISOString();
}

/** How often instances say that they are there, in milliseconds. */
const signOfLife = 5_000;

export const instancesQuery = queryOptions({
  queryKey: keys.instances,
  queryFn: async ({ signal }) => {
    const call = api.GET("/v1/instances", { signal });
    return { ...(await take(call)), answered_at: await answeredAt(call) };
  },
  refetchInterval: signOfLife,
  notifyOnChangeProps: "all",
});

/** Of the instance that answers. Now and then: looking at the limits counts, too. */
export const limitsQuery = queryOptions({
  queryKey: keys.limits,
  queryFn: ({ signal }) => take(api.GET("/v1/limits", { signal })),
  refetchInterval: 10_000,
  notifyOnChangeProps: "all",
});

/** Whether a rotation will still change by itself. */
export function isRotating(rotation: KeyRotation): boolean {
  return rotation.step !== "finished" && !rotation.paused;
}

/** The states that a key leaves by itself. */
const inTransition = new Set<DataKey["state"]>(["pending", "retiring", "closing"]);

export const dataKeysQuery = queryOptions({
  queryKey: [...keys.dataKeys, "list"],
  queryFn: ({ signal }) => take(api.GET("/v1/data-keys", { signal })),
  refetchInterval: ({ state }) =>
    pace(state.data?.items.some((key) => inTransition.has(key.state))),
  notifyOnChangeProps: "all",
});

/**
 * How many values are under each key, by its id. The server reads every protected row for it, so it
 * is asked once, and again when another key seals or one has been retired.
 */
export const dataKeysCensusQuery = (all: DataKey[] | undefined) =>
  queryOptions({
    queryKey: [
      ...keys.dataKeys,
      "census",
      all?.filter(({ state }) => state === "active" || state === "retired").map(({ id }) => id),
    ],
    queryFn: async ({ signal }) => {
      const { items } = await take(
        api.GET("/v1/data-keys", { signal, params: { query: { count: true } } }),
      );
      return new Map(items.map(({ id, values = 0 }) => [id, values]));
    },
    enabled: all !== undefined,
    staleTime: 300_000,
    refetchOnWindowFocus: false,
    placeholderData: keepPreviousData,
  });

export const keyRotationPreviewQuery = (scope: string) =>
  queryOptions({
    queryKey: [...keys.keyRotations, "preview", scope],
    queryFn: ({ signal }) =>
      take(api.GET("/v1/key-rotations/preview/{scope}", { signal, params: { path: { scope } } })),
    staleTime: 60_000,
    refetchOnWindowFocus: false,
  });

/** Rotations on a page of the history. */
const rotationsPage = 20;

export const keyRotationsQuery = (cursor?: string) =>
  queryOptions({
    queryKey: [...keys.keyRotations, "list", { cursor }],
    queryFn: ({ signal }) =>
      take(
        api.GET("/v1/key-rotations", {
          signal,
          params: { query: { cursor, limit: rotationsPage } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => pace(state.data?.items.some(isRotating)),
  });

export const keyRotationQuery = (key_rotation_id: string) =>
  queryOptions({
    queryKey: [...keys.keyRotations, "one", key_rotation_id],
    queryFn: async ({ signal }) => {
      const call = api.GET("/v1/key-rotations/{key_rotation_id}", {
        signal,
        params: { path: { key_rotation_id } },
      });
      return { ...(await take(call)), answered_at: await answeredAt(call) };
    },
    refetchInterval: ({ state }) =>
      state.data?.step === "finished" ? false : state.data?.paused ? fromAfar : closely,
  });
