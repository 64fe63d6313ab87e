/** For the platform: what another least role for an operation would do in every organisation. */
import { Select, Text } from "@mantine/core";
import { IconEqual } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { foreseeQuery } from "../../api/decisions";
import { type OperationId, operations } from "../../api/operations.gen";
import type { ForeseenOrganization } from "../../api/types";
import { OperationSelect } from "../../parts/decisions/pickers";
import { useFilter } from "../../parts/filters";
import { Section } from "../../parts/page";
import { roleName } from "../../parts/permissions";
import { useRoles } from "../../parts/role-select";
import { Empty } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { words } from "../../words";
import classes from "./simulate.module.css";

const said = words.simulate.rules;
const route = getRouteApi("/signed-in/o/$organization/simulate");

export function Rules({ days }: { days: number }) {
  const { operation, role, cursor } = route.useSearch();
  const filter = useFilter();
  const roles = useRoles();
  const known = operation && operation in operations ? operations[operation as OperationId] : null;
  const now = known?.minimumRole ?? null;
  const choices = roles
    .filter(({ reads_as }) => !reads_as)
    .toSorted((a, b) => b.level - a.level)
    .map(({ name }) => ({ value: name, label: roleName(name), disabled: name === now }));
  return (
    <Section title={said.title} text={said.text} flush>
      <div className={classes.chart}>
        <div className={classes.builder}>
          <OperationSelect
            ruled
            label={said.operation}
            value={known ? (operation ?? null) : null}
            onChange={(name) => filter({ operation: name ?? undefined })}
          />
          <Select
            label={said.minimum}
            description={now ? said.now(roleName(now)) : undefined}
            data={choices}
            value={role ?? null}
            onChange={(name) => filter({ role: name ?? undefined })}
            comboboxProps={{ shadow: "md" }}
          />
        </div>
      </div>
      {operation && known && role && role !== now ? (
        <Tenants operation={operation} role={role} days={days} cursor={cursor} />
      ) : (
        <Text c="dimmed" className={classes.leftOut}>
          {said.emptyText}
        </Text>
      )}
    </Section>
  );
}

interface TenantsProps {
  operation: string;
  role: string;
  days: number;
  cursor: string | undefined;
}

function Tenants({ operation, role, days, cursor }: TenantsProps) {
  const query = useQuery(foreseeQuery(operation, role, days, cursor));
  return (
    <DataTable
      caption={said.caption}
      columns={columns}
      query={query}
      rowKey={({ organization_id }) => organization_id}
      empty={
        <Empty
          icon={<IconEqual size={22} stroke={1.6} />}
          title={said.emptyTitle}
          text={said.emptyText}
        />
      }
    />
  );
}

type Numbers = Exclude<keyof ForeseenOrganization["operations"][number], "operation">;

/** One rule is looked at, so there is one operation. */
const number = (of: ForeseenOrganization, name: Numbers) =>
  (of.operations[0]?.[name] ?? 0).toLocaleString();

const columns: Column<ForeseenOrganization>[] = [
  { key: "name", header: said.organization, width: "34%", render: ({ name }) => name },
  { key: "losing", header: said.losing, render: (one) => number(one, "losing") },
  { key: "gaining", header: said.gaining, render: (one) => number(one, "gaining") },
  {
    key: "services",
    header: said.services,
    render: (one) => `−${number(one, "services_losing")} +${number(one, "services_gaining")}`,
  },
  { key: "uses", header: said.uses, render: (one) => number(one, "uses_lost") },
];
