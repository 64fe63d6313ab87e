/** Choosing teams for people who are invited: those that give a role above one's own are off. */
import { MultiSelect, type MultiSelectProps, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { allTeamsQuery } from "../api/queries";
import { words } from "../words";
import { roleName, useMe, useOrganization, useWhyNot } from "./permissions";
import { covers, useRoles } from "./role-select";

const said = words.teams;

/** Teams that one invitation may name. */
const most = 50;

type TeamSelectProps = Omit<MultiSelectProps<string>, "data" | "renderOption">;

/** Nothing at all where there is no team, or where teams can't be seen. */
export function TeamSelect(props: TeamSelectProps) {
  const me = useMe();
  const organization = useOrganization();
  const hidden = useWhyNot("teams_list") !== null;
  const roles = useRoles();
  const teams = useQuery({ ...allTeamsQuery(organization.id), enabled: !hidden });
  if (!teams.data?.length) return null;
  const byId = new Map(teams.data.map((team) => [team.id, team]));
  const above = (role: string | null | undefined) => role != null && !covers(roles, me, role);
  return (
    <MultiSelect
      label={said.invite}
      description={said.inviteHint}
      data={teams.data.map(({ id, name, role }) => ({
        value: id,
        label: name,
        disabled: above(role),
      }))}
      maxValues={most}
      searchable
      hidePickedOptions
      nothingFoundMessage={words.shell.findNothing}
      comboboxProps={{ shadow: "md" }}
      renderOption={({ option }) => {
        const team = byId.get(option.value);
        const gives = team?.role ? `${said.gives} ${roleName(team.role)}` : said.noRole;
        return (
          <Stack gap={0}>
            <Text fw={550}>{option.label}</Text>
            <Text size="xs" c="dimmed">
              {option.disabled ? said.aboveOwn : gives}
            </Text>
          </Stack>
        );
      }}
      {...props}
    />
  );
}
