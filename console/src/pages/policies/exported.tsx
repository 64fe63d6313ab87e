/** What is of one moment: reads the export, says which moment it is and when it was read. */
import { Alert, Button, Group, Select, Text } from "@mantine/core";
import { IconHistory, IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { PolicyDocument, Whose } from "../../api/policies";
import { tenantsQuery } from "../../api/queries";
import { useFilter } from "../../parts/filters";
import { Panel } from "../../parts/panel";
import { allowed, useMe } from "../../parts/permissions";
import { Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { PolicyFailed } from "./failed";
import { momentText } from "./moments";
import { usePolicy, usePolicySearch } from "./search";

const said = words.policies;

interface ExportedProps {
  whose: Whose;
  children: (documents: PolicyDocument[]) => ReactNode;
}

export function Exported({ whose, children }: ExportedProps) {
  const { as_of } = usePolicySearch();
  const filter = useFilter();
  const query = usePolicy(whose);
  if (query.isPending) {
    return (
      <Panel>
        <Loading rows={10} />
      </Panel>
    );
  }
  if (query.isError && !query.data) {
    return (
      <PolicyFailed
        error={query.error}
        retry={() => void query.refetch()}
        toBeginning={(since) => filter({ as_of: since })}
        toBeginningText={said.edges.showFirst}
        toPresent={() => filter({ as_of: undefined })}
      />
    );
  }
  return (
    <>
      {as_of ? (
        <Alert
          color="yellow"
          variant="light"
          icon={<IconHistory size={18} aria-hidden="true" />}
          mb="md"
        >
          <Group justify="space-between" gap="xs">
            <Text>{said.asOf.isPast(momentText(as_of))}</Text>
            <Button size="xs" variant="default" onClick={() => filter({ as_of: undefined })}>
              {said.asOf.backToNow}
            </Button>
          </Group>
        </Alert>
      ) : null}
      {children(query.data.pages)}
      <Group gap="xs" mt="sm">
        <Text size="xs" c="dimmed">
          {said.asOf.readAt}{" "}
          <Time value={new Date(query.dataUpdatedAt).toISOString()} form="exact" />.{" "}
          {said.asOf.recorded}
        </Text>
        {as_of ? null : (
          <Button
            variant="subtle"
            color="gray"
            size="compact-xs"
            leftSection={<IconRefresh size={13} aria-hidden="true" />}
            loading={query.isRefetching}
            onClick={() => void query.refetch()}
          >
            {said.asOf.readAgain}
          </Button>
        )}
      </Group>
    </>
  );
}

/** On the platform's page: the names of the organisations, by id, where the viewer may see them. */
export function useOrganizationNames(whose: Whose): Map<string, string> {
  const me = useMe();
  const platform = whose === null ? me.organization : undefined;
  const query = useQuery({
    ...tenantsQuery,
    enabled: platform !== undefined && allowed(me, "organizations_list"),
    staleTime: 300_000,
  });
  const all = [...(platform ? [platform] : []), ...(query.data ?? [])];
  return new Map(all.map(({ id, name }) => [id, name]));
}

/** Narrows the installation's holders to one organisation; another read, which is smaller. */
export function OnlyOrganization() {
  const filter = useFilter();
  const { only } = usePolicySearch();
  const names = useOrganizationNames(null);
  if (names.size === 0) return null;
  const known = [...names].map(([value, label]) => ({ value, label }));
  const data =
    !only || names.has(only) ? known : [...known, { value: only, label: `${only.slice(0, 8)}…` }];
  return (
    <Select
      aria-label={said.onlyOrganization}
      placeholder={said.everywhere}
      data={data}
      value={only ?? null}
      onChange={(next) => filter({ only: next ?? undefined })}
      clearable
      clearButtonProps={{ "aria-label": words.common.clearFilters }}
      searchable
      nothingFoundMessage={words.shell.findNothing}
      w={220}
    />
  );
}
