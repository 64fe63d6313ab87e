/** Acting in somebody else's organisation as a platform admin: beginning, the banner, the end. */
import { Badge, Button, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { api, take } from "../api/client";
import { Problem } from "../api/problem";
import { keys } from "../api/queries";
import type { Me, Organization } from "../api/types";
import { words } from "../words";
import classes from "./acting.module.css";
import { tell, tellProblem } from "./notify";
import { useMe } from "./permissions";
import { forgetAllButMe, switching } from "./session";
import { useSecondsLeft } from "./time";

const said = words.acting;

/** Begins to act in an organisation and goes there. */
export function useActIn(organization: Organization) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    ...switching,
    mutationFn: async (reason: string) => {
      const path = { organization_id: organization.id };
      await take(
        api.POST("/v1/organizations/{organization_id}/act-in", {
          params: { path },
          body: { reason },
        }),
      );
      const me = await take(api.GET("/v1/me"));
      await forgetAllButMe(client);
      client.setQueryData(keys.me, me);
      await navigate({ href: `/o/${organization.slug}` });
      tell(said.started(organization.name));
    },
  });
}

/**
 * Ends it and goes back to the platform's organisations. When its time is over it has ended by
 * itself: then only the server is asked, because this browser's clock may be wrong.
 */
function useLeave(name: string) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    ...switching,
    mutationFn: async (over: boolean) => {
      if (!over) await stop();
      const me: Me = await take(api.GET("/v1/me"));
      if (me.acting) return;
      await forgetAllButMe(client);
      client.setQueryData(keys.me, me);
      await navigate({ href: "/platform/organizations" });
      tell(over ? said.over(name) : said.stopped(name));
    },
    onError: tellProblem,
  });
}

async function stop(): Promise<void> {
  try {
    await take(api.DELETE("/v1/session/acting"));
  } catch (error) {
    // It ended by itself meanwhile.
    if (!(error instanceof Problem) || error.status !== 404) throw error;
  }
}

/** How often the server is asked again when it does not agree that the time is over. */
const askAgain = 10_000;

/** On every page while one acts: where, how long still, and the way out. */
export function ActingBanner() {
  const { acting, organization } = useMe();
  if (!acting || !organization) return null;
  return <Banner key={acting.id} until={acting.expires_at} name={organization.name} />;
}

function Banner({ until, name }: { until: string; name: string }) {
  const left = useSecondsLeft(Date.parse(until));
  const { mutate, isPending } = useLeave(name);
  const over = left === 0;
  useEffect(() => {
    if (!over) return;
    mutate(true);
    const timer = window.setInterval(() => mutate(true), askAgain);
    return () => window.clearInterval(timer);
  }, [over, mutate]);
  return (
    <section className={classes.banner} aria-label={said.banner}>
      <div className={classes.text}>
        <Text component="span" inherit fw={600}>
          {said.bannerText(name)}
        </Text>{" "}
        <Text component="span" inherit className={classes.note}>
          {said.bannerNote}
        </Text>
      </div>
      <Text component="span" inherit role="timer" className={classes.left}>
        {said.left(left)}
      </Text>
      <Button size="compact-sm" variant="default" loading={isPending} onClick={() => mutate(false)}>
        {said.stop}
      </Button>
    </section>
  );
}

/** Marks an audit entry of somebody who acted here without belonging here. */
export function SupportBadge() {
  return <Badge className={classes.badge}>{said.badge}</Badge>;
}
