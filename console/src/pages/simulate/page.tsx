/** What a change of roles would do, before anybody makes it; and why decisions come out as they do. */
import { IconHelpCircle } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type { ProposedChange } from "../../api/types";
import { ExplainDialog } from "../../parts/decisions/explain-dialog";
import { useFilter } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { Forbidden } from "../../parts/states";
import { words } from "../../words";
import { Builder } from "./builder";
import { Effect, spans } from "./effect";
import { useSentences } from "./names";
import { read, write } from "./proposal";
import { Rules } from "./rules";

const said = words.simulate;
const route = getRouteApi("/signed-in/o/$organization/simulate");

export default function SimulatePage() {
  const organization = useOrganization();
  const forbidden = useWhyNot("rbac_simulate");
  const notExplained = useWhyNot("rbac_explain");
  const [explaining, setExplaining] = useState(false);
  return (
    <Page
      title={said.title}
      purpose={said.purpose}
      place={organization.name}
      action={
        <GuardedButton
          variant="default"
          reason={notExplained}
          onClick={() => setExplaining(true)}
          leftSection={<IconHelpCircle size={16} aria-hidden="true" />}
        >
          {words.explainDecision.open}
        </GuardedButton>
      }
    >
      {forbidden ? (
        <Panel>
          <Forbidden reason={forbidden} />
        </Panel>
      ) : (
        <Simulation />
      )}
      <ExplainDialog opened={explaining} onClose={() => setExplaining(false)} />
    </Page>
  );
}

function Simulation() {
  const search = route.useSearch();
  const filter = useFilter();
  const foresees = useWhyNot("rbac_policies_simulate") === null;
  const [picked, setPicked] = useState<ReadonlyMap<string, string>>(new Map());
  const sentence = useSentences(picked);
  const changes = read(search.changes);
  const asked = Number(search.days);
  const days = spans.includes(asked) ? asked : 30;
  const propose = (next: ProposedChange[]) => filter({ changes: write(next), open: undefined });
  return (
    <>
      <Builder
        changes={changes}
        sentence={sentence}
        onChange={propose}
        onPicked={({ id, name }) => setPicked((known) => new Map([...known, [id, name]]))}
      />
      <Effect changes={changes} days={days} />
      {foresees ? <Rules days={days} /> : null}
    </>
  );
}
