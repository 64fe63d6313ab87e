/** A team's drawer: what it gives, who is in it, and what can be done with it. */
import { Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { teamQuery } from "../../api/queries";
import type { Team } from "../../api/types";
import { RoleBadge } from "../../parts/badges";
import { CustomRoles } from "../../parts/custom-roles";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { useOpen } from "../../parts/filters";
import { GuardedButton, useOrganization } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";
import type { Act } from "./dialogs";
import { useReasons } from "./menu";
import { People } from "./people";

const said = words.teams;

interface TeamDetailsProps {
  id: string | undefined;
  onAct: (act: Act) => void;
}

export function TeamDetails({ id, onAct }: TeamDetailsProps) {
  const organization = useOrganization();
  const open = useOpen();
  const query = useQuery({ ...teamQuery(organization.id, id ?? ""), enabled: id !== undefined });
  const team = query.data;
  return (
    <Details
      opened={id !== undefined}
      onClose={() => open({ open: undefined })}
      title={team?.name ?? words.common.details}
    >
      {query.isPending ? <Loading /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {team ? (
        <Stack gap="lg">
          <TeamFields team={team} />
          {/* Before the people, who may be many. */}
          <Group gap="xs">
            <Acts team={team} onAct={onAct} />
          </Group>
          <People team={team} onAct={onAct} />
        </Stack>
      ) : null}
    </Details>
  );
}

function TeamFields({ team }: { team: Team }) {
  return (
    <Fields>
      <Field name={said.description}>
        {team.description ?? <Text c="dimmed">{said.noDescription}</Text>}
      </Field>
      <Field name={said.gives}>
        <div>
          {team.role ? <RoleBadge role={team.role} /> : said.noRole}
          <Text size="xs" c="dimmed" mt={2}>
            {team.role ? words.roles.short[team.role] : said.noRoleText}
          </Text>
        </div>
      </Field>
      {team.custom_roles.length > 0 ? (
        <Field name={words.customRoles.select}>
          <CustomRoles roles={team.custom_roles} />
        </Field>
      ) : null}
      <Field name={said.created}>
        <Time value={team.created_at} />
      </Field>
      <Field name={said.id}>
        <CopyId value={team.id} label={said.id} />
      </Field>
    </Fields>
  );
}

function Acts({ team, onAct }: { team: Team; onAct: (act: Act) => void }) {
  const reasons = useReasons(team);
  return (
    <>
      <GuardedButton
        size="xs"
        variant="default"
        reason={reasons.edit}
        onClick={() => onAct({ kind: "edit", team })}
      >
        {said.edit}
      </GuardedButton>
      <GuardedButton
        size="xs"
        variant="light"
        color="red"
        reason={reasons.delete}
        onClick={() => onAct({ kind: "delete", team })}
      >
        {said.delete}
      </GuardedButton>
    </>
  );
}
