/** Who is in a team: seen, added, and on the way out. */
import { ActionIcon, Button, Group, Select, Stack, Text, Title, Tooltip } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconUserMinus } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { api, take } from "../../api/client";
import { keys, membersQuery, teamMembersQuery } from "../../api/queries";
import type { Member, Team } from "../../api/types";
import { RolesOf } from "../../parts/badges";
import { ProblemAlert } from "../../parts/confirm";
import { tell } from "../../parts/notify";
import { GuardedButton } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";
import type { Act } from "./dialogs";
import { useReasons } from "./menu";
import classes from "./people.module.css";

const said = words.teams;

interface PeopleProps {
  team: Team;
  onAct: (act: Act) => void;
}

export function People({ team, onAct }: PeopleProps) {
  const query = useInfiniteQuery(teamMembersQuery(team.organization_id, team.id));
  const reasons = useReasons(team);
  const heading = useId();
  const members = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <section aria-labelledby={heading}>
      <Group justify="space-between" mb={8}>
        <Title order={3} id={heading}>
          {said.members}
        </Title>
        <Text c="dimmed">{team.member_count.toLocaleString()}</Text>
      </Group>
      <Add key={team.id} team={team} inside={members} reason={reasons.add} />
      {query.isPending ? <Loading rows={2} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isSuccess && members.length === 0 ? (
        <Text c="dimmed" mt="sm">
          {said.nobody}
        </Text>
      ) : null}
      {members.length > 0 ? (
        <ul className={classes.list}>
          {members.map((member) => (
            <Row key={member.id} {...{ team, member, onAct }} reason={reasons.remove} />
          ))}
        </ul>
      ) : null}
      {query.hasNextPage ? (
        <Button
          size="xs"
          variant="default"
          mt="sm"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {said.more}
        </Button>
      ) : null}
    </section>
  );
}

interface RowProps extends PeopleProps {
  member: Member;
  reason: string | null;
}

function Row({ team, member, onAct, reason }: RowProps) {
  const label = said.removeOne(member.name, team.name);
  return (
    <li className={classes.row}>
      <div className={classes.person}>
        <Text fw={550} truncate>
          {member.name}
        </Text>
        <Text size="xs" c="dimmed" truncate>
          {member.email}
        </Text>
      </div>
      <div className={classes.roles}>
        <RolesOf role={member.role} effective={member.effective_roles} />
      </div>
      <Tooltip label={reason ?? said.removeDo}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={label}
          aria-disabled={reason !== null || undefined}
          data-disabled={reason !== null || undefined}
          onClick={() => (reason === null ? onAct({ kind: "remove", team, member }) : undefined)}
        >
          <IconUserMinus size={16} aria-hidden="true" />
        </ActionIcon>
      </Tooltip>
    </li>
  );
}

interface AddProps {
  team: Team;
  inside: Member[];
  reason: string | null;
}

/** People who are not in the team yet, found by the server as one types. */
function Add({ team, inside, reason }: AddProps) {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState<Member | null>(null);
  const [search] = useDebouncedValue(text.trim() === chosen?.name ? "" : text.trim(), 250);
  const { organization_id } = team;
  const found = useQuery({
    ...membersQuery(organization_id, { search: search || undefined, limit: 50 }),
    enabled: reason === null,
  });
  const add = useMutation({
    mutationFn: ({ id }: Member) =>
      take(
        api.PUT("/v1/organizations/{organization_id}/teams/{team_id}/members/{member_id}", {
          params: { path: { organization_id, team_id: team.id, member_id: id } },
        }),
      ),
    onSuccess: (_, { name }) => {
      tell(said.added(name, team.name));
      setChosen(null);
      setText("");
    },
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.organization(organization_id) }),
        client.invalidateQueries({ queryKey: keys.me }),
      ]),
  });
  const outside = (found.data?.items ?? []).filter(
    ({ id }) => !inside.some((member) => member.id === id),
  );
  const people =
    chosen && !outside.some(({ id }) => id === chosen.id) ? [chosen, ...outside] : outside;
  return (
    <Stack gap="xs">
      <Group gap="xs" wrap="nowrap" align="flex-end">
        <Select
          className={classes.find}
          aria-label={said.addLabel}
          placeholder={said.addHint}
          size="sm"
          searchable
          disabled={reason !== null}
          data={people.map(({ id, name }) => ({ value: id, label: name }))}
          filter={({ options }) => options}
          value={chosen?.id ?? null}
          onChange={(id) => {
            add.reset();
            setChosen(people.find((member) => member.id === id) ?? null);
          }}
          searchValue={text}
          onSearchChange={setText}
          nothingFoundMessage={found.isFetching ? words.common.loading : said.addNothing}
          comboboxProps={{ shadow: "md" }}
          renderOption={({ option }) => (
            <Stack gap={0}>
              <Text fw={550}>{option.label}</Text>
              <Text size="xs" c="dimmed">
                {people.find(({ id }) => id === option.value)?.email}
              </Text>
            </Stack>
          )}
        />
        <GuardedButton
          size="sm"
          reason={reason}
          disabled={reason === null && chosen === null}
          loading={add.isPending}
          onClick={() => (chosen ? add.mutate(chosen) : undefined)}
        >
          {said.add}
        </GuardedButton>
      </Group>
      {add.error ? <ProblemAlert error={add.error} /> : null}
    </Stack>
  );
}
