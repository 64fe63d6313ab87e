/** What changed between two moments: the policy itself, and who gained and who lost what. */
import { Alert } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type Comparison, comparisonQuery, mostChanges, type Whose } from "../../api/policies";
import { useFilter } from "../../parts/filters";
import { Section } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { Loading } from "../../parts/states";
import { words } from "../../words";
import { overTime } from "./changes";
import { PolicyFailed } from "./failed";
import { Gained } from "./gained";
import classes from "./policies.module.css";
import { Revised } from "./revised";
import { usePolicySearch } from "./search";
import { StretchPicker } from "./stretch";
import { Timeline } from "./timeline";

const said = words.policies.history;

export function History({ whose }: { whose: Whose }) {
  const { from, to, only } = usePolicySearch();
  const filter = useFilter();
  const query = useQuery(comparisonQuery(whose, { from, to, only }));
  return (
    <div className={classes.stack}>
      <Panel>
        <StretchPicker whose={whose} />
      </Panel>
      {query.isPending ? (
        <Panel>
          <Loading />
        </Panel>
      ) : null}
      {query.isError ? (
        <PolicyFailed
          error={query.error}
          retry={() => void query.refetch()}
          toBeginning={() => filter({ from: undefined })}
          toBeginningText={words.policies.edges.compareAll}
          toPresent={() => filter({ from: undefined, to: undefined })}
        />
      ) : null}
      {query.data ? (
        <Changes whose={whose} comparison={query.data} readAt={query.dataUpdatedAt} />
      ) : null}
    </div>
  );
}

interface ChangesProps {
  whose: Whose;
  comparison: Comparison;
  /** When it was read, for a comparison with the present; milliseconds since 1970. */
  readAt: number;
}

function Changes({ whose, comparison, readAt }: ChangesProps) {
  const { from, to } = usePolicySearch();
  const { items } = comparison;
  // Without a first moment the chart begins where something happened.
  const first = new Date(from ?? items[0]?.at ?? readAt);
  const { spans, weekly } = overTime(items, first, new Date(to ?? readAt));
  return (
    <>
      {comparison.next_cursor ? (
        <Alert
          color="yellow"
          variant="light"
          icon={<IconInfoCircle size={18} aria-hidden="true" />}
        >
          {said.tooMany(mostChanges)}
        </Alert>
      ) : null}
      {items.length > 0 ? (
        <Section title={said.chart} text={said.chartText(weekly)}>
          <Timeline spans={spans} weekly={weekly} />
        </Section>
      ) : null}
      <Revised comparison={comparison} />
      <Gained whose={whose} changes={items} />
    </>
  );
}
