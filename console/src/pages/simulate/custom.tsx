/** What a proposal says of an organisation's own roles. Looking at what they would do takes no right to give them. */
import { MultiSelect, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { customRolesQuery, permissionsQuery } from "../../api/custom-roles";
import { useOrganization, useWhyNot } from "../../parts/permissions";
import { words } from "../../words";
import { grouped, groupName } from "../roles/picker";
import type { ChoiceProps } from "./builder";
import classes from "./simulate.module.css";

const said = words.simulate;
const list = {
  searchable: true,
  nothingFoundMessage: words.shell.findNothing,
  comboboxProps: { shadow: "md" },
} as const;

/** The organisation's own roles; none where they can't be seen. */
export function useCustomRoles() {
  const { id } = useOrganization();
  const enabled = useWhyNot("custom_roles_list") === null;
  return useQuery({ ...customRolesQuery(id), enabled }).data?.items ?? [];
}

function useChoices() {
  return useCustomRoles().map(({ id, name }) => ({ value: id, label: name }));
}

export function CustomRoleChoice({ value, onChange }: ChoiceProps) {
  const data = useChoices();
  return <Select label={said.customRole} data={data} value={value} onChange={onChange} {...list} />;
}

interface ChoicesProps {
  value: string[];
  onChange: (value: string[]) => void;
}

export function CustomRolesChoice({ value, onChange }: ChoicesProps) {
  const data = useChoices();
  return (
    <MultiSelect
      label={said.customRoles}
      description={said.customRolesHint}
      data={data}
      value={value}
      onChange={onChange}
      hidePickedOptions
      {...list}
    />
  );
}

export function PermissionsChoice({ value, onChange }: ChoicesProps) {
  const { id } = useOrganization();
  const enabled = useWhyNot("permissions_list") === null;
  const permissions = useQuery({ ...permissionsQuery(id), enabled }).data?.items ?? [];
  return (
    <MultiSelect
      className={classes.wide}
      label={said.permissions}
      description={said.permissionsHint}
      data={grouped(permissions).map(([group, items]) => ({
        group: groupName(group),
        items: items.map(({ operation, title }) => ({ value: operation, label: title })),
      }))}
      value={value}
      onChange={onChange}
      hidePickedOptions
      {...list}
    />
  );
}
