/** What holds in every organisation of this Freehold. For platform admins. */
import { getRouteApi } from "@tanstack/react-router";
import { EndSessionsSection } from "../../parts/end-sessions";
import { Page } from "../../parts/page";
import { useWhyNot } from "../../parts/permissions";
import { PlatformForbidden } from "../../parts/platform-only";
import { HistoryButton, SettingsForm } from "../../parts/settings/form";
import { words } from "../../words";

const said = words.security;
const route = getRouteApi("/signed-in/platform/settings");

export default function PlatformSettingsPage() {
  const { open } = route.useSearch();
  const forbidden = useWhyNot("settings_get");
  return (
    <Page
      title={said.platformTitle}
      purpose={said.platformPurpose}
      action={forbidden ? null : <HistoryButton />}
    >
      {forbidden ? (
        <PlatformForbidden back="/platform/settings" />
      ) : (
        <>
          <SettingsForm organization={null} opened={open} />
          <EndSessionsSection whose={{ kind: "everybody" }} />
        </>
      )}
    </Page>
  );
}
