/**
 * The map of the console. Every page is a chunk of its own; every address can be reloaded and sent
 * to a colleague, because filters, open drawers and cursors are in its search parameters.
 */
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { Problem } from "./api/problem";
import { meQuery } from "./api/queries";
import { Announcer } from "./parts/announcer";
import { Home, OrganizationFrame, SignedInFrame } from "./parts/frames";
import { Broken, NotFound } from "./parts/not-found";
import { parseSearch, stringifySearch, texts } from "./parts/search";
import { Loading } from "./parts/states";

interface Context {
  client: QueryClient;
}

const root = createRootRouteWithContext<Context>()({
  component: () => (
    <>
      <Announcer />
      <Outlet />
    </>
  ),
  notFoundComponent: NotFound,
});

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("./pages/setup/page")),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: texts("return"),
  component: lazyRouteComponent(() => import("./pages/sign-in/page")),
});

const forgotPassword = createRoute({
  getParentRoute: () => root,
  path: "/forgot-password",
  component: lazyRouteComponent(() => import("./pages/forgot-password/page")),
});

const resetPassword = createRoute({
  getParentRoute: () => root,
  path: "/reset-password",
  component: lazyRouteComponent(() => import("./pages/reset-password/page")),
});

const recovery = createRoute({
  getParentRoute: () => root,
  path: "/recovery",
  component: lazyRouteComponent(() => import("./pages/recovery/page"), "CompletePage"),
});

const stopRecovery = createRoute({
  getParentRoute: () => root,
  path: "/recovery/stop",
  component: lazyRouteComponent(() => import("./pages/recovery/page"), "StopPage"),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./pages/invitation/page")),
});

const signUp = createRoute({
  getParentRoute: () => root,
  path: "/sign-up",
  validateSearch: texts("organization"),
  component: lazyRouteComponent(() => import("./pages/sign-up/page")),
});

const confirmSignUp = createRoute({
  getParentRoute: () => root,
  path: "/sign-up/confirm",
  component: lazyRouteComponent(() => import("./pages/sign-up/confirm")),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  beforeLoad: async ({ context, location }) => {
    try {
      await context.client.ensureQueryData(meQuery);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      throw redirect({
        to: "/sign-in",
        search: location.href === "/" ? {} : { return: location.href },
      });
    }
  },
  component: SignedInFrame,
});

const home = createRoute({ getParentRoute: () => signedIn, path: "/", component: Home });

const organization = createRoute({
  getParentRoute: () => signedIn,
  path: "/o/$organization",
  component: OrganizationFrame,
});

const overview = createRoute({
  getParentRoute: () => organization,
  path: "/",
  validateSearch: texts("span"),
  component: lazyRouteComponent(() => import("./pages/overview/page")),
});

const members = createRoute({
  getParentRoute: () => organization,
  path: "/members",
  validateSearch: texts("search", "role", "status", "attribute", "cursor", "open"),
  component: lazyRouteComponent(() => import("./pages/members/page")),
});

const teams = createRoute({
  getParentRoute: () => organization,
  path: "/teams",
  validateSearch: texts("search", "cursor", "open", "dialog"),
  component: lazyRouteComponent(() => import("./pages/teams/page")),
});

const roles = createRoute({
  getParentRoute: () => organization,
  path: "/roles",
  validateSearch: texts("search", "open", "dialog"),
  component: lazyRouteComponent(() => import("./pages/roles/page")),
});

const serviceAccounts = createRoute({
  getParentRoute: () => organization,
  path: "/service-accounts",
  validateSearch: texts("cursor", "open", "dialog"),
  component: lazyRouteComponent(() => import("./pages/service-accounts/page")),
});

const managedAccounts = createRoute({
  getParentRoute: () => organization,
  path: "/managed-accounts",
  validateSearch: texts("search", "cursor", "open"),
  component: lazyRouteComponent(() => import("./pages/managed-accounts/page")),
});

const invitations = createRoute({
  getParentRoute: () => organization,
  path: "/invitations",
  validateSearch: texts("status", "cursor", "open", "dialog"),
  component: lazyRouteComponent(() => import("./pages/invitations/page")),
});

const signUps = createRoute({
  getParentRoute: () => organization,
  path: "/sign-ups",
  validateSearch: texts("status", "cursor"),
  component: lazyRouteComponent(() => import("./pages/sign-ups/page")),
});

const imports = createRoute({
  getParentRoute: () => organization,
  path: "/imports",
  validateSearch: texts("cursor", "open", "dialog", "outcome"),
  component: lazyRouteComponent(() => import("./pages/imports/page")),
});

const alerts = createRoute({
  getParentRoute: () => organization,
  path: "/alerts",
  validateSearch: texts("tab", "state", "severity", "rule", "muted", "cursor", "open", "dialog"),
  component: lazyRouteComponent(() => import("./pages/alerts/page")),
});

const audit = createRoute({
  getParentRoute: () => organization,
  path: "/audit",
  validateSearch: texts(
    "event",
    "severity",
    "least",
    "class",
    "outcome",
    "kind",
    "actor",
    "target",
    "from",
    "to",
    "text",
    "cursor",
    "open",
    "live",
  ),
  component: lazyRouteComponent(() => import("./pages/audit/page")),
});

const auditCatalog = createRoute({
  getParentRoute: () => organization,
  path: "/audit/events",
  validateSearch: texts("text", "severity", "class", "open"),
  component: lazyRouteComponent(() => import("./pages/audit-catalog/page")),
});

/** What the pages of the policy have in their addresses. */
const policySearch = texts(
  "tab",
  "as_of",
  "only",
  "search",
  "resource",
  "scope",
  "role",
  "decision",
  "type",
  "status",
  "seen",
  "factor",
  "change",
  "from",
  "to",
  "cursor",
  "open",
);

const policies = createRoute({
  getParentRoute: () => organization,
  path: "/policies",
  validateSearch: policySearch,
  component: lazyRouteComponent(() => import("./pages/policies/page")),
});

const platformAccess = createRoute({
  getParentRoute: () => organization,
  path: "/platform-access",
  validateSearch: texts("cursor"),
  component: lazyRouteComponent(() => import("./pages/platform-access/page")),
});

const evidence = createRoute({
  getParentRoute: () => organization,
  path: "/evidence",
  validateSearch: texts("cursor"),
  component: lazyRouteComponent(() => import("./pages/evidence/page")),
});

const simulate = createRoute({
  getParentRoute: () => organization,
  path: "/simulate",
  validateSearch: texts("changes", "days", "open", "operation", "role", "cursor"),
  component: lazyRouteComponent(() => import("./pages/simulate/page")),
});

const settings = createRoute({
  getParentRoute: () => organization,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/settings/page")),
});

const attributes = createRoute({
  getParentRoute: () => organization,
  path: "/attributes",
  validateSearch: texts("open", "dialog"),
  component: lazyRouteComponent(() => import("./pages/attributes/page")),
});

const security = createRoute({
  getParentRoute: () => organization,
  path: "/security",
  validateSearch: texts("open"),
  component: lazyRouteComponent(() => import("./pages/security/page")),
});

const account = createRoute({
  getParentRoute: () => signedIn,
  path: "/account",
  validateSearch: texts("cursor"),
  component: lazyRouteComponent(() => import("./pages/account/page")),
});

const verifyEmail = createRoute({
  getParentRoute: () => signedIn,
  path: "/verify-email",
  component: lazyRouteComponent(() => import("./pages/email-link/page"), "VerifyEmailPage"),
});

const recoveryAddress = createRoute({
  getParentRoute: () => signedIn,
  path: "/recovery-address",
  component: lazyRouteComponent(() => import("./pages/recovery/page"), "RecoveryAddressPage"),
});

const changeEmail = createRoute({
  getParentRoute: () => signedIn,
  path: "/change-email",
  component: lazyRouteComponent(() => import("./pages/email-link/page"), "ChangeEmailPage"),
});

const platformOrganizations = createRoute({
  getParentRoute: () => signedIn,
  path: "/platform/organizations",
  validateSearch: texts("status", "cursor", "dialog"),
  component: lazyRouteComponent(() => import("./pages/platform-organizations/page")),
});

const platformAccounts = createRoute({
  getParentRoute: () => signedIn,
  path: "/platform/accounts",
  validateSearch: texts("email", "state", "cursor", "open"),
  component: lazyRouteComponent(() => import("./pages/platform-accounts/page")),
});

const platformSettings = createRoute({
  getParentRoute: () => signedIn,
  path: "/platform/settings",
  validateSearch: texts("open"),
  component: lazyRouteComponent(() => import("./pages/platform-settings/page")),
});

const platformJobs = createRoute({
  getParentRoute: () => signedIn,
  path: "/platform/jobs",
  validateSearch: texts("open", "run", "cursor"),
  component: lazyRouteComponent(() => import("./pages/platform-jobs/page")),
});

const platformInstances = createRoute({
  getParentRoute: () => signedIn,
  path: "/platform/instances",
  component: lazyRouteComponent(() => import("./pages/platform-instances/page")),
});

const platformHolds = createRoute({
  getParentRoute: () => signedIn,
  path: "/platform/holds",
  validateSearch: texts("dialog", "cursor"),
  component: lazyRouteComponent(() => import("./pages/platform-holds/page")),
});

const platformLimits = createRoute({
  getParentRoute: () => signedIn,
  path: "/platform/limits",
  component: lazyRouteComponent(() => import("./pages/platform-limits/page")),
});

const platformKeys = createRoute({
  getParentRoute: () => signedIn,
  path: "/platform/keys",
  validateSearch: texts("rotate", "step", "rotation", "cursor"),
  component: lazyRouteComponent(() => import("./pages/platform-keys/page")),
});

const platformPolicies = createRoute({
  getParentRoute: () => signedIn,
  path: "/platform/policies",
  validateSearch: policySearch,
  component: lazyRouteComponent(() => import("./pages/platform-policies/page")),
});

const tree = root.addChildren([
  setup,
  signIn,
  forgotPassword,
  resetPassword,
  recovery,
  stopRecovery,
  invitation,
  signUp,
  confirmSignUp,
  signedIn.addChildren([
    home,
    organization.addChildren([
      overview,
      members,
      teams,
      roles,
      serviceAccounts,
      managedAccounts,
      invitations,
      signUps,
      imports,
      alerts,
      audit,
      auditCatalog,
      policies,
      platformAccess,
      evidence,
      simulate,
      settings,
      attributes,
      security,
    ]),
    account,
    verifyEmail,
    recoveryAddress,
    changeEmail,
    platformOrganizations,
    platformAccounts,
    platformSettings,
    platformJobs,
    platformInstances,
    platformHolds,
    platformLimits,
    platformKeys,
    platformPolicies,
  ]),
]);

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { client },
    parseSearch,
    stringifySearch,
    defaultPreload: "intent",
    defaultPendingComponent: () => <Loading />,
    defaultErrorComponent: Broken,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: false,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
  interface HistoryState {
    /** Reached by the pager, so that "Previous" can go back. */
    paged?: boolean;
  }
}
