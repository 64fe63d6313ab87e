/** The policy of the whole installation: for the platform's administrators and auditors. */
import { useLocation } from "@tanstack/react-router";
import { useWhyNot } from "../../parts/permissions";
import { PlatformForbidden } from "../../parts/platform-only";
import { words } from "../../words";
import { Policies } from "../policies/frame";

const said = words.policies;

export default function PlatformPoliciesPage() {
  const forbidden = useWhyNot("rbac_policies_get");
  const here = useLocation({ select: ({ href }) => href });
  return (
    <Policies
      whose={null}
      title={said.platformTitle}
      purpose={said.platformPurpose}
      place={words.shell.platform}
      forbidden={forbidden ? <PlatformForbidden back={here} /> : null}
    />
  );
}
