/**
 * The page of the policy, an organisation's or the platform's: its views as tabs. Which one, which
 * moment and every filter are in the address.
 */
import { Group, Tabs } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Whose } from "../../api/policies";
import { Page } from "../../parts/page";
import { words } from "../../words";
import { AsOf } from "./as-of";
import { Evidence } from "./evidence";
import { Exported, OnlyOrganization } from "./exported";
import { History } from "./history";
import { Holders } from "./holders";
import { Matrix } from "./matrix";
import classes from "./policies.module.css";
import { usePolicySearch } from "./search";

const said = words.policies;

interface View {
  value: string;
  name: string;
  render: (whose: Whose) => ReactNode;
  /** Whether the moment that is shown can be chosen: it is of one. */
  ofMoment: boolean;
}

/** In this order; another view of the policy is another line. */
const views: View[] = [
  {
    value: "operations",
    name: said.tabs.operations,
    ofMoment: true,
    render: (whose) => (
      <Exported whose={whose}>
        {(documents) => <Matrix whose={whose} documents={documents} />}
      </Exported>
    ),
  },
  {
    value: "holders",
    name: said.tabs.holders,
    ofMoment: true,
    render: (whose) => (
      <Exported whose={whose}>
        {(documents) => <Holders whose={whose} documents={documents} />}
      </Exported>
    ),
  },
  {
    value: "history",
    name: said.tabs.history,
    ofMoment: false,
    render: (whose) => <History whose={whose} />,
  },
  {
    value: "evidence",
    name: said.tabs.evidence,
    ofMoment: true,
    render: (whose) => (
      <Exported whose={whose}>
        {(documents) => <Evidence whose={whose} documents={documents} />}
      </Exported>
    ),
  },
];

interface PoliciesProps {
  whose: Whose;
  title: string;
  purpose: string;
  place: string;
  /** What is shown to those who may not see it; null for those who may. */
  forbidden: ReactNode;
}

export function Policies({ whose, title, purpose, place, forbidden }: PoliciesProps) {
  const { tab } = usePolicySearch();
  const view = views.find(({ value }) => value === tab) ?? views[0];
  const choices = (
    <Group gap="xs">
      {whose === null ? <OnlyOrganization /> : null}
      {view?.ofMoment ? <AsOf whose={whose} /> : null}
    </Group>
  );
  return (
    <Page title={title} purpose={purpose} place={place} action={forbidden ? null : choices}>
      {forbidden ?? <Views whose={whose} shown={view?.value ?? ""} />}
    </Page>
  );
}

function Views({ whose, shown }: { whose: Whose; shown: string }) {
  const navigate = useNavigate();
  // The moment goes along to the other views, the filters of one don't.
  const show = (tab: string | null) =>
    void navigate({
      to: ".",
      search: ({ as_of, only }: Record<string, string | undefined>) => ({
        tab: tab === "operations" ? undefined : (tab ?? undefined),
        as_of,
        only,
      }),
    });
  return (
    <Tabs value={shown} onChange={show} keepMounted={false}>
      <Tabs.List mb="md" className={classes.tabs} aria-label={said.tabsLabel}>
        {views.map(({ value, name }) => (
          <Tabs.Tab key={value} value={value}>
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {views.map(({ value, render }) => (
        <Tabs.Panel key={value} value={value}>
          {render(whose)}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
