/**
 * What stands between the address and a page: the shell, and for pages of an organisation the
 * check that the session works in that one. Calls to another organisation would be refused, and a
 * link from a colleague, or a switch in another tab, can name another one.
 */
import { Button, Group, Stack } from "@mantine/core";
import { IconArrowsExchange, IconBuildings } from "@tabler/icons-react";
import { useIsMutating } from "@tanstack/react-query";
import { getRouteApi, Link, Navigate, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect } from "react";
import type { MyOrganization } from "../api/types";
import { words } from "../words";
import { NotFound } from "./not-found";
import { Page } from "./page";
import { useMe } from "./permissions";
import { switching, useSwitchOrganization } from "./session";
import { Shell } from "./shell/shell";
import { Empty, Loading } from "./states";

const said = words.shell;
const route = getRouteApi("/signed-in/o/$organization");

export function SignedInFrame() {
  return (
    <Shell>
      <Outlet />
    </Shell>
  );
}

export function OrganizationFrame() {
  const me = useMe();
  const { organization: slug } = route.useParams();
  const changing = useIsMutating(switching) > 0;
  if (me.organization?.slug === slug) return <Outlet key={me.organization.id} />;
  if (changing) return <Loading />;
  const mine = me.organizations.find((organization) => organization.slug === slug);
  return mine ? <Elsewhere organization={mine} /> : <NotFound />;
}

/** The page belongs to another of the person's organisations. */
function Elsewhere({ organization }: { organization: MyOrganization }) {
  const me = useMe();
  const change = useSwitchOrganization();
  const href = useRouterState({ select: (state) => state.location.href });
  const current = me.organization;
  const title = said.mismatchTitle(organization.name);
  return (
    <Page title={title}>
      <Empty
        icon={<IconArrowsExchange size={22} stroke={1.6} />}
        title={said.switchToOne(organization.name)}
        text={said.mismatchText(current?.name ?? said.noOrganization)}
        action={
          <Group gap="xs" justify="center">
            <Button
              loading={change.isPending}
              onClick={() => change.mutate({ id: organization.id, to: href })}
            >
              {said.switchToOne(organization.name)}
            </Button>
            {current ? (
              <Button component={Link} to={`/o/${current.slug}`} variant="default">
                {said.stay(current.name)}
              </Button>
            ) : null}
          </Group>
        }
      />
    </Page>
  );
}

/** The start: the overview of the active organisation, or the choice of one. */
export function Home() {
  const me = useMe();
  const change = useSwitchOrganization();
  const { mutate } = change;
  const only = me.organization || me.organizations.length !== 1 ? undefined : me.organizations[0];
  useEffect(() => {
    if (only) mutate({ id: only.id });
  }, [only, mutate]);

  if (me.organization) {
    return (
      <Navigate to="/o/$organization" params={{ organization: me.organization.slug }} replace />
    );
  }
  if (only && !change.isError) return <Loading />;
  if (me.organizations.length === 0) {
    return (
      <Page title={said.lonelyTitle}>
        <Empty
          icon={<IconBuildings size={22} stroke={1.6} />}
          title={said.lonelyTitle}
          text={said.lonelyText}
          action={
            <Button component={Link} to="/account" variant="default">
              {said.profile}
            </Button>
          }
        />
      </Page>
    );
  }
  return (
    <Page title={said.pickTitle} purpose={said.pickText}>
      <Stack gap="xs" maw={420}>
        {me.organizations.map(({ id, name }) => (
          <Button key={id} variant="default" justify="flex-start" onClick={() => mutate({ id })}>
            {name}
          </Button>
        ))}
      </Stack>
    </Page>
  );
}
