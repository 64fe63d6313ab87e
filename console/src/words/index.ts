/**
 * The one catalogue of all texts that a person reads. Functions take the parts that vary, so that
 * a translation can put them in its own order. No other module holds prose.
 */
import { account } from "./account";
import { adoption } from "./adoption";
import { alerts } from "./alerts";
import { attributes, profile } from "./attributes";
import { audit } from "./audit";
import { common } from "./common";
import { explainDecision, simulate } from "./decisions";
import { emailCodes, trustedDevices } from "./email-codes";
import { evidence } from "./evidence";
import { gate } from "./gate";
import { exports, imports } from "./imports";
import { instances, jobs } from "./jobs";
import { keys } from "./keys";
import { limits } from "./limits";
import { overview } from "./overview";
import { passkeys } from "./passkeys";
import { invitations, managedAccounts, members, roles } from "./people";
import { platform } from "./platform";
import { policies } from "./policies";
import { problems } from "./problems";
import { recovery } from "./recovery";
import { holds } from "./retention";
import { customRoles } from "./roles";
import { secondFactor } from "./second-factor";
import { security } from "./security";
import { serviceAccounts } from "./service-accounts";
import { sessionEnds, signingKeys } from "./session-ends";
import { settings } from "./settings";
import { shell } from "./shell";
import { email, signUp, signUps } from "./sign-up";
import { acting, platformAccess, proof } from "./support";
import { teams } from "./teams";

export const words = {
  product: "Freehold",
  account,
  acting,
  adoption,
  alerts,
  attributes,
  audit,
  common,
  email,
  emailCodes,
  evidence,
  explainDecision,
  exports,
  gate,
  holds,
  imports,
  instances,
  invitations,
  jobs,
  keys,
  limits,
  managedAccounts,
  members,
  overview,
  passkeys,
  platform,
  platformAccess,
  policies,
  problems,
  profile,
  proof,
  recovery,
  roles,
  secondFactor,
  security,
  serviceAccounts,
  sessionEnds,
  settings,
  shell,
  signUp,
  signUps,
  signingKeys,
  customRoles,
  simulate,
  teams,
  trustedDevices,
};
