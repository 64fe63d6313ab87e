/** What may be done in an organisation, who holds what in it, what changed, and the evidence. */
import { Panel } from "../../parts/panel";
import { useOrganization, useWhyNot } from "../../parts/permissions";
import { Forbidden } from "../../parts/states";
import { words } from "../../words";
import { Policies } from "./frame";

const said = words.policies;

export default function PoliciesPage() {
  const organization = useOrganization();
  const reason = useWhyNot("organization_policies_get");
  return (
    <Policies
      whose={organization.id}
      title={said.title}
      purpose={said.purpose}
      place={organization.name}
      forbidden={
        reason ? (
          <Panel>
            <Forbidden reason={reason} />
          </Panel>
        ) : null
      }
    />
  );
}
