/** Permissions by role, the given ones and the organisation's own: a sign and its word in each cell, never colour alone. */
import { Box, Text, TextInput, VisuallyHidden } from "@mantine/core";
import { IconCheck, IconMinus, IconSearch } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { Fragment } from "react";
import type { CustomRole, Permission } from "../../api/types";
import { useFilter } from "../../parts/filters";
import { roleName } from "../../parts/permissions";
import { useRoles } from "../../parts/role-select";
import { Empty } from "../../parts/states";
import { words } from "../../words";
import { grouped, groupName, matches } from "./picker";
import classes from "./roles.module.css";

const said = words.customRoles;
const route = getRouteApi("/signed-in/o/$organization/roles");

interface MatrixProps {
  permissions: Permission[];
  custom: CustomRole[];
}

interface MatrixColumn {
  key: string;
  name: string;
  kind: string;
  permits: (permission: Permission) => boolean;
}

export function Matrix({ permissions, custom }: MatrixProps) {
  const { search } = route.useSearch();
  const filter = useFilter();
  const given = useRoles()
    .filter(({ scope }) => scope === "organization")
    .toSorted((a, b) => b.level - a.level);
  const columns: MatrixColumn[] = [
    ...given.map(({ name }) => ({
      key: name,
      name: roleName(name),
      kind: said.given,
      permits: ({ held_by }: Permission) => held_by.includes(name),
    })),
    ...custom.map((role) => ({
      key: role.id,
      name: role.name,
      kind: said.ownRole,
      permits: ({ operation }: Permission) => role.permissions.includes(operation),
    })),
  ];
  const groups = grouped(permissions.filter((one) => matches(one, search ?? "")));
  return (
    <>
      <div className={classes.search}>
        <TextInput
          type="search"
          defaultValue={search ?? ""}
          onChange={(event) => filter({ search: event.currentTarget.value || undefined })}
          leftSection={<IconSearch size={15} aria-hidden="true" />}
          placeholder={said.searchLabel}
          aria-label={said.searchLabel}
        />
      </div>
      {groups.length === 0 ? (
        <Empty title={said.nothing} text={words.common.noMatchText} />
      ) : (
        <Box component="section" className={classes.scroll} aria-label={said.matrix} tabIndex={0}>
          <table className={classes.matrix}>
            <caption>
              <VisuallyHidden>{said.matrixCaption}</VisuallyHidden>
            </caption>
            <thead>
              <tr>
                <th scope="col" className={classes.corner}>
                  {said.permission}
                </th>
                {columns.map(({ key, name, kind }) => (
                  <th key={key} scope="col" data-own={kind === said.ownRole || undefined}>
                    <span className={classes.roleName}>{name}</span>
                    <Text size="xs" c="dimmed" fw={400}>
                      {kind}
                    </Text>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {groups.map(([group, items]) => (
                <Fragment key={group}>
                  <tr className={classes.group}>
                    <th scope="rowgroup" colSpan={columns.length + 1}>
                      <span>{groupName(group)}</span>
                    </th>
                  </tr>
                  {items.map((permission) => (
                    <tr key={permission.operation}>
                      <th scope="row">
                        <span>{permission.title}</span>
                        <Text size="xs" c="dimmed" fw={400} className="machine-text">
                          {permission.operation}
                        </Text>
                      </th>
                      {columns.map(({ key, permits }) => (
                        <Cell key={key} permits={permits(permission)} />
                      ))}
                    </tr>
                  ))}
                </Fragment>
              ))}
            </tbody>
          </table>
        </Box>
      )}
    </>
  );
}

function Cell({ permits }: { permits: boolean }) {
  return (
    <td data-permits={permits || undefined}>
      {permits ? (
        <IconCheck size={15} stroke={2.4} aria-hidden="true" />
      ) : (
        <IconMinus size={13} aria-hidden="true" />
      )}
      <span className={classes.word}>{permits ? said.yes : said.no}</span>
    </td>
  );
}
