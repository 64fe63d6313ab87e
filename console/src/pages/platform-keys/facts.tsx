/** What holds for all keys: the root key, who knows them, when the values were counted. */
import { Anchor, Button, Group } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { DataKeys } from "../../api/types";
import { Status } from "../../parts/badges";
import { Fact, Facts } from "../../parts/facts";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.keys.facts;

interface KeyFactsProps {
  inventory: DataKeys;
  census: UseQueryResult<Map<string, number>>;
}

export function KeyFacts({ inventory, census }: KeyFactsProps) {
  const { root_key, root_key_custodian, instances, acknowledged } = inventory;
  return (
    <Facts note={said.text}>
      <Fact name={said.root}>
        <span className="machine-text">{root_key}</span>
      </Fact>
      <Fact name={said.keeper}>{said.keepers[root_key_custodian]}</Fact>
      <Fact name={said.known}>
        {acknowledged < instances ? (
          <Anchor component={Link} to="/platform/instances" inherit>
            <Status tone="warn">{said.knownTo(acknowledged, instances)}</Status>
          </Anchor>
        ) : (
          <Status tone="good">{said.knownTo(acknowledged, instances)}</Status>
        )}
      </Fact>
      <Fact name={said.counted}>
        <Counted census={census} />
      </Fact>
    </Facts>
  );
}

function Counted({ census }: { census: KeyFactsProps["census"] }) {
  const { isFetching, isError, dataUpdatedAt } = census;
  return (
    <Group gap={10}>
      {isFetching ? said.counting : null}
      {isError && !isFetching ? <Status tone="bad">{said.countFailed}</Status> : null}
      {isFetching || isError ? null : (
        <Time value={new Date(dataUpdatedAt).toISOString()} form="relative" />
      )}
      <Button
        size="compact-xs"
        variant="default"
        loading={isFetching}
        onClick={() => void census.refetch()}
      >
        {said.countAgain}
      </Button>
    </Group>
  );
}
