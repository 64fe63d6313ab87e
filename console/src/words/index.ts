/**
 * The one catalogue of all texts that a person reads. Functions take the parts that vary, so that
 * a translation can put them in its own order. No other module holds prose.
 */
import { account } from "./account";
import { audit } from "./audit";
import { common } from "./common";
import { gate } from "./gate";
import { instances, jobs } from "./jobs";
import { overview } from "./overview";
import { invitations, members, roles } from "./people";
import { platform } from "./platform";
import { problems } from "./problems";
import { settings } from "./settings";
import { shell } from "./shell";

export const words = {
  product: "Freehold",
  account,
  audit,
  common,
  gate,
  instances,
  invitations,
  jobs,
  members,
  overview,
  platform,
  problems,
  roles,
  settings,
  shell,
};
