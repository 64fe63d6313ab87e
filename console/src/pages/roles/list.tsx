/** The organisation's own roles, each with what it permits and who holds it. */
import { Text } from "@mantine/core";
import { IconPencil, IconShieldCheck, IconTrash } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import type { CustomRole } from "../../api/types";
import { useHolds } from "../../parts/custom-roles";
import { useOpen } from "../../parts/filters";
import { GuardedButton, GuardedItem, RowMenu, useWhyNot } from "../../parts/permissions";
import { Empty } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import type { Act } from "./dialogs";

const said = words.customRoles;

/** Who holds a role: "2 members, 1 team". */
export function holdersOf({ holders }: CustomRole): string | null {
  const parts = [
    holders.members > 0 ? said.memberCount(holders.members) : null,
    holders.teams > 0 ? said.teamCount(holders.teams) : null,
    holders.service_accounts > 0 ? said.programCount(holders.service_accounts) : null,
    holders.invitations > 0 ? said.invitationCount(holders.invitations) : null,
  ].filter((part) => part !== null);
  return parts.length > 0 ? parts.join(", ") : null;
}

interface OwnRolesProps {
  query: UseQueryResult<{ items: CustomRole[] }>;
  createNot: string | null;
  onAct: (act: Act) => void;
}

export function OwnRoles({ query, createNot, onAct }: OwnRolesProps) {
  const open = useOpen();
  return (
    <DataTable
      caption={said.caption}
      columns={columns}
      query={query}
      rowKey={({ id }) => id}
      menu={(role) => <RoleMenu role={role} onAct={onAct} />}
      empty={
        <Empty
          icon={<IconShieldCheck size={22} stroke={1.6} />}
          title={said.emptyTitle}
          text={said.emptyText}
          action={
            <GuardedButton
              reason={createNot}
              onClick={() => open({ dialog: "create" })}
              variant="default"
            >
              {said.create}
            </GuardedButton>
          }
        />
      }
    />
  );
}

function RoleMenu({ role, onAct }: { role: CustomRole; onAct: (act: Act) => void }) {
  const holds = useHolds();
  const above = holds(role) ? null : said.aboveOwn;
  const editNot = useWhyNot("custom_roles_update") ?? above;
  const deleteNot = useWhyNot("custom_roles_delete") ?? above;
  return (
    <RowMenu name={role.name}>
      <GuardedItem
        reason={editNot}
        leftSection={<IconPencil size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "edit", role })}
      >
        {said.edit}
      </GuardedItem>
      <GuardedItem
        reason={deleteNot}
        color="red"
        leftSection={<IconTrash size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "delete", role })}
      >
        {said.delete}
      </GuardedItem>
    </RowMenu>
  );
}

const columns: Column<CustomRole>[] = [
  {
    key: "role",
    header: said.role,
    width: "40%",
    render: ({ name, description }) => (
      <div>
        <Text fw={550}>{name}</Text>
        {description ? (
          <Text size="xs" c="dimmed" lineClamp={1}>
            {description}
          </Text>
        ) : null}
      </div>
    ),
  },
  {
    key: "permits",
    header: said.permits,
    render: ({ permissions }) => said.permissionCount(permissions.length),
  },
  {
    key: "holders",
    header: said.holders,
    render: (role) => holdersOf(role) ?? said.nobody,
  },
  {
    key: "changed",
    header: said.changed,
    wideOnly: true,
    render: ({ updated_at }) => <Time value={updated_at} form="relative" />,
  },
];
