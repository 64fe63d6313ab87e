/** Alerts: the inbox and the rules. Tab, filters and what is open are in the address. */
import { Tabs } from "@mantine/core";
import { IconMailCog } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useFilter, useOpen } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { Forbidden } from "../../parts/states";
import { words } from "../../words";
import { Inbox } from "./inbox";
import { MailDialog } from "./mail";
import { Rules } from "./rules";

const said = words.alerts;
const route = getRouteApi("/signed-in/o/$organization/alerts");

export default function AlertsPage() {
  const organization = useOrganization();
  const { dialog } = route.useSearch();
  const open = useOpen();
  const forbidden = useWhyNot("alerts_list");
  return (
    <Page
      title={said.title}
      purpose={said.purpose}
      place={organization.name}
      action={
        <GuardedButton
          reason={forbidden}
          variant="default"
          onClick={() => open({ dialog: "mail" })}
          leftSection={<IconMailCog size={16} aria-hidden="true" />}
        >
          {said.mail}
        </GuardedButton>
      }
    >
      {forbidden ? (
        <Panel>
          <Forbidden reason={forbidden} />
        </Panel>
      ) : (
        <Views />
      )}
      <MailDialog
        opened={dialog === "mail" && forbidden === null}
        onClose={() => open({ dialog: undefined })}
      />
    </Page>
  );
}

function Views() {
  const { tab } = route.useSearch();
  const filter = useFilter();
  const shown = tab === "rules" ? "rules" : "inbox";
  return (
    <Tabs
      value={shown}
      onChange={(next) =>
        filter({ tab: next === "rules" ? "rules" : undefined, open: undefined, dialog: undefined })
      }
      keepMounted={false}
    >
      <Tabs.List aria-label={said.tabs} mb="lg">
        <Tabs.Tab value="inbox">{said.inbox}</Tabs.Tab>
        <Tabs.Tab value="rules">{said.rules}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="inbox">
        <Inbox />
      </Tabs.Panel>
      <Tabs.Panel value="rules">
        <Rules />
      </Tabs.Panel>
    </Tabs>
  );
}
