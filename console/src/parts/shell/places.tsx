/** The places one can go, by job. Navigation and palette show the same list. */
import {
  IconBellRinging,
  IconBuilding,
  IconBuildings,
  IconClockPlay,
  IconFileCertificate,
  IconFileText,
  IconFlask,
  IconForms,
  IconGauge,
  IconGavel,
  IconKey,
  IconLayoutDashboard,
  IconLifebuoy,
  IconMailForward,
  IconRobot,
  IconScale,
  IconServer2,
  IconSettings,
  IconShieldCheck,
  IconShieldLock,
  IconTableImport,
  IconUserCheck,
  IconUserCircle,
  IconUserQuestion,
  IconUserShield,
  IconUsers,
  IconUsersGroup,
  type TablerIcon,
} from "@tabler/icons-react";
import type { OperationId } from "../../api/operations.gen";
import type { Me } from "../../api/types";
import { words } from "../../words";
import { allowed } from "../permissions";

export interface Place {
  group: string | null;
  label: string;
  to: string;
  icon: TablerIcon;
  /** What waits for somebody there is counted beside its name. */
  counts?: "signUps" | "alerts";
}

const said = words.shell;

function inOrganization(me: Me): Place[] {
  if (!me.organization) return [];
  const base = `/o/${me.organization.slug}`;
  const places: (Place & { needs?: OperationId })[] = [
    { group: null, label: said.overview, to: base, icon: IconLayoutDashboard },
    {
      group: said.people,
      label: said.members,
      to: `${base}/members`,
      icon: IconUsers,
      needs: "members_list",
    },
    {
      group: said.people,
      label: said.teams,
      to: `${base}/teams`,
      icon: IconUsersGroup,
      needs: "teams_list",
    },
    {
      group: said.people,
      label: said.roles,
      to: `${base}/roles`,
      icon: IconShieldCheck,
      needs: "custom_roles_list",
    },
    {
      group: said.people,
      label: said.invitations,
      to: `${base}/invitations`,
      icon: IconMailForward,
      needs: "invitations_list",
    },
    {
      group: said.people,
      label: said.signUps,
      to: `${base}/sign-ups`,
      icon: IconUserQuestion,
      counts: "signUps",
      needs: "sign_up_requests_list",
    },
    {
      group: said.people,
      label: said.imports,
      to: `${base}/imports`,
      icon: IconTableImport,
      needs: "imports_list",
    },
    {
      group: said.people,
      label: said.managedAccounts,
      to: `${base}/managed-accounts`,
      icon: IconUserCheck,
      needs: "managed_accounts_list",
    },
    {
      group: said.record,
      label: said.alerts,
      to: `${base}/alerts`,
      icon: IconBellRinging,
      counts: "alerts",
      needs: "alerts_list",
    },
    {
      group: said.record,
      label: said.audit,
      to: `${base}/audit`,
      icon: IconFileText,
      needs: "audit_list",
    },
    {
      group: said.record,
      label: said.evidence,
      to: `${base}/evidence`,
      icon: IconFileCertificate,
      needs: "audit_seals_get",
    },
    {
      group: said.record,
      label: said.policies,
      to: `${base}/policies`,
      icon: IconScale,
      needs: "organization_policies_get",
    },
    {
      group: said.record,
      label: said.simulate,
      to: `${base}/simulate`,
      icon: IconFlask,
      needs: "rbac_simulate",
    },
    {
      group: said.record,
      label: said.platformAccess,
      to: `${base}/platform-access`,
      icon: IconLifebuoy,
      needs: "platform_accesses_list",
    },
    {
      group: said.settings,
      label: said.organization,
      to: `${base}/settings`,
      icon: IconBuilding,
      needs: "organizations_get",
    },
    {
      group: said.settings,
      label: said.serviceAccounts,
      to: `${base}/service-accounts`,
      icon: IconRobot,
      needs: "service_accounts_list",
    },
    {
      group: said.settings,
      label: said.attributes,
      to: `${base}/attributes`,
      icon: IconForms,
      needs: "attributes_get",
    },
    {
      group: said.settings,
      label: said.security,
      to: `${base}/security`,
      icon: IconShieldLock,
      needs: "organization_settings_get",
    },
  ];
  // The platform's own organisation has no settings of its own, but those that hold everywhere, and manages nobody.
  const tenant = me.organization.kind === "tenant";
  const tenantsOnly: OperationId[] = ["organization_settings_get", "managed_accounts_list"];
  // A place that this person's role does not open is left out; its address says which role does.
  return places.filter(
    ({ needs }) =>
      (!needs || allowed(me, needs)) && (tenant || !needs || !tenantsOnly.includes(needs)),
  );
}

/** Platform admins keep their pages in sight while they work in a tenant. */
export function isPlatformAdmin(me: Me): boolean {
  return me.organizations.some(
    ({ kind, role }) => kind === "platform" && role === "platform_admin",
  );
}

function onPlatform(me: Me): Place[] {
  const group = said.platform;
  const policies = {
    group,
    label: said.platformPolicies,
    to: "/platform/policies",
    icon: IconScale,
  };
  // The one page there that the platform's auditors read too.
  if (!isPlatformAdmin(me)) return allowed(me, "rbac_policies_get") ? [policies] : [];
  return [
    { group, label: said.organizations, to: "/platform/organizations", icon: IconBuildings },
    { group, label: said.accounts, to: "/platform/accounts", icon: IconUserShield },
    { group, label: said.jobs, to: "/platform/jobs", icon: IconClockPlay },
    { group, label: said.instances, to: "/platform/instances", icon: IconServer2 },
    { group, label: said.limits, to: "/platform/limits", icon: IconGauge },
    { group, label: said.holds, to: "/platform/holds", icon: IconGavel },
    { group, label: said.keys, to: "/platform/keys", icon: IconKey },
    policies,
    { group, label: said.platformSettings, to: "/platform/settings", icon: IconSettings },
  ];
}

export function places(me: Me): Place[] {
  return [
    ...inOrganization(me),
    { group: said.account, label: said.profile, to: "/account", icon: IconUserCircle },
    ...onPlatform(me),
  ];
}
