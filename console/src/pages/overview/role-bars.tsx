/** How many members hold each role. */
import { Anchor } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Member, Page } from "../../api/types";
import { Bars } from "../../parts/bars";
import { Section } from "../../parts/page";
import { roleName, useOrganization } from "../../parts/permissions";
import { useRoles } from "../../parts/role-select";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";
import classes from "./overview.module.css";

const said = words.overview;

export function RoleBars({ query }: { query: UseQueryResult<Page<Member>> }) {
  const { slug } = useOrganization();
  const roles = useRoles();
  const counts = new Map<string, number>();
  for (const { role } of query.data?.items ?? []) counts.set(role, (counts.get(role) ?? 0) + 1);
  const level = (name: string) => roles.find((role) => role.name === name)?.level ?? 0;
  const rows = [...counts].sort(([a], [b]) => level(b) - level(a));
  return (
    <Section
      title={said.byRole}
      action={
        <Anchor component={Link} to={`/o/${slug}/members`} size="sm">
          {said.seeMembers}
        </Anchor>
      }
    >
      {query.isPending ? <Loading rows={4} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      <Bars
        bars={rows.map(([role, count]) => ({
          key: role,
          count,
          name: (
            <Link
              to="/o/$organization/members"
              params={{ organization: slug }}
              search={{ role }}
              className={classes.barName}
            >
              {roleName(role)}
            </Link>
          ),
        }))}
      />
    </Section>
  );
}
