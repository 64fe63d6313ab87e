/** Roles: the organisation's own, and beside the given ones what each permits. */
import { Stack } from "@mantine/core";
import { IconShieldPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { customRolesQuery, permissionsQuery } from "../../api/custom-roles";
import { useOpen } from "../../parts/filters";
import { Page, Section } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { Failed, Forbidden, Loading } from "../../parts/states";
import { words } from "../../words";
import { type Act, RoleDialogs } from "./dialogs";
import { CreateDialog } from "./form";
import { OwnRoles } from "./list";
import { Matrix } from "./matrix";

const said = words.customRoles;
const route = getRouteApi("/signed-in/o/$organization/roles");

export default function RolesPage() {
  const organization = useOrganization();
  const { dialog } = route.useSearch();
  const open = useOpen();
  const forbidden = useWhyNot("custom_roles_list");
  const createNot = useWhyNot("custom_roles_create");
  return (
    <Page
      title={said.title}
      purpose={said.purpose}
      place={organization.name}
      action={
        <GuardedButton
          reason={createNot}
          onClick={() => open({ dialog: "create" })}
          leftSection={<IconShieldPlus size={16} aria-hidden="true" />}
        >
          {said.create}
        </GuardedButton>
      }
    >
      {forbidden ? (
        <Panel>
          <Forbidden reason={forbidden} />
        </Panel>
      ) : (
        <Everything createNot={createNot} />
      )}
      <CreateDialog
        opened={dialog === "create" && createNot === null}
        onClose={() => open({ dialog: undefined })}
      />
    </Page>
  );
}

function Everything({ createNot }: { createNot: string | null }) {
  const organization = useOrganization();
  const [act, setAct] = useState<Act | null>(null);
  const roles = useQuery(customRolesQuery(organization.id));
  const permissions = useQuery(permissionsQuery(organization.id));
  return (
    <Stack gap="lg">
      <Section title={said.own} text={said.ownText} flush>
        <OwnRoles query={roles} createNot={createNot} onAct={setAct} />
      </Section>
      <Section title={said.matrix} text={said.matrixText} flush>
        {permissions.isPending || roles.isPending ? <Loading rows={10} /> : null}
        {permissions.isError ? (
          <Failed error={permissions.error} retry={() => void permissions.refetch()} />
        ) : null}
        {permissions.data && roles.data ? (
          <Matrix permissions={permissions.data.items} custom={roles.data.items} />
        ) : null}
      </Section>
      <RoleDialogs act={act} onClose={() => setAct(null)} />
    </Stack>
  );
}
