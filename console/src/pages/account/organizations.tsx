/** The organisations that one belongs to; switching to them, and leaving the active one. */
import { Button, Group, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { memberQuery } from "../../api/queries";
import type { Member, MyOrganization } from "../../api/types";
import { RolesOf } from "../../parts/badges";
import { tellProblem } from "../../parts/notify";
import { useMe } from "../../parts/permissions";
import { useSwitchOrganization } from "../../parts/session";
import { Tile } from "../../parts/shell/switcher";
import { words } from "../../words";
import { MemberDialogs } from "../members/dialogs";
import classes from "./organizations.module.css";

export function MyOrganizations() {
  const me = useMe();
  const [leaving, setLeaving] = useState<Member | null>(null);
  if (me.organizations.length === 0) {
    return (
      <Text c="dimmed" p="md">
        {words.shell.lonelyText}
      </Text>
    );
  }
  return (
    <>
      <ul className={classes.list}>
        {me.organizations.map((organization) => (
          <li key={organization.id} className={classes.row}>
            <Tile name={organization.name} />
            <Text fw={550} className={classes.name}>
              {organization.name}
            </Text>
            <RolesOf role={organization.role} effective={organization.effective_roles} />
            {organization.id === me.organization?.id ? (
              <Leave organization={organization} onLeave={setLeaving} />
            ) : (
              <Switch organization={organization} />
            )}
          </li>
        ))}
      </ul>
      {/* The dialog needs the active organisation, which is the one that can be left. */}
      {me.organization ? (
        <MemberDialogs
          act={leaving ? { kind: "leave", member: leaving } : null}
          onClose={() => setLeaving(null)}
        />
      ) : null}
    </>
  );
}

function Switch({ organization }: { organization: MyOrganization }) {
  const change = useSwitchOrganization();
  return (
    <Button
      size="compact-sm"
      variant="default"
      loading={change.isPending}
      aria-label={words.shell.switchToOne(organization.name)}
      onClick={() => change.mutate({ id: organization.id })}
    >
      {words.shell.switchShort}
    </Button>
  );
}

interface LeaveProps {
  organization: MyOrganization;
  onLeave: (member: Member) => void;
}

function Leave({ organization, onLeave }: LeaveProps) {
  const client = useQueryClient();
  const look = useMutation({
    mutationFn: () =>
      client.fetchQuery({ ...memberQuery(organization.id, organization.member_id), staleTime: 0 }),
    onSuccess: onLeave,
    onError: tellProblem,
  });
  return (
    <Group gap={6}>
      <Button
        size="compact-sm"
        variant="subtle"
        color="red"
        loading={look.isPending}
        aria-label={words.members.leaveTitle(organization.name)}
        onClick={() => look.mutate()}
      >
        {words.shell.leaveShort}
      </Button>
    </Group>
  );
}
