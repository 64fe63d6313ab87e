/** What an organisation asks for: passwords, sessions, invitations, within what the platform says. */
import { getRouteApi, Navigate } from "@tanstack/react-router";
import { EndSessionsSection } from "../../parts/end-sessions";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { useOrganization, useWhyNot } from "../../parts/permissions";
import { HistoryButton, SettingsForm } from "../../parts/settings/form";
import { Forbidden } from "../../parts/states";
import { words } from "../../words";

const said = words.security;
const route = getRouteApi("/signed-in/o/$organization/security");

export default function SecurityPage() {
  const { id, name, kind } = useOrganization();
  const { open } = route.useSearch();
  const forbidden = useWhyNot("organization_settings_get");
  // The platform's own organisation asks for what holds everywhere.
  if (kind === "platform") return <Navigate to="/platform/settings" replace />;
  return (
    <Page
      title={said.title}
      purpose={said.purpose}
      place={name}
      action={forbidden ? null : <HistoryButton />}
    >
      {forbidden ? (
        <Panel>
          <Forbidden reason={forbidden} />
        </Panel>
      ) : null}
      {forbidden ? null : <SettingsForm organization={id} opened={open} />}
      <EndSessionsSection whose={{ kind: "own", id, name }} />
    </Page>
  );
}
