/** What changes the session itself: switching organisation, signing out, and being signed in. */
import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, take } from "../api/client";
import { Problem } from "../api/problem";
import { keys } from "../api/queries";
import { words } from "../words";
import { tell, tellProblem } from "./notify";

/** While one of these runs, the address and the active organisation may differ for a moment. */
export const switching = { mutationKey: ["switch"] as const };

/** Nothing of the organisation that was left may stay readable in the cache. */
export async function forgetAllButMe(client: QueryClient): Promise<void> {
  await client.cancelQueries();
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
}

interface SwitchTo {
  id: string;
  /** Where to go then; the organisation's overview when not said. */
  to?: string;
}

export function useSwitchOrganization() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    ...switching,
    mutationFn: async ({ id, to }: SwitchTo) => {
      await take(api.POST("/v1/session/organization", { body: { organization_id: id } }));
      const me = await take(api.GET("/v1/me"));
      await forgetAllButMe(client);
      client.setQueryData(keys.me, me);
      await navigate({ href: to ?? (me.organization ? `/o/${me.organization.slug}` : "/") });
      return me;
    },
    onSuccess: (me) => {
      if (me.organization) tell(words.shell.switched(me.organization.name));
    },
    onError: (error) => {
      // Said where the way to the sign-in page begins.
      if (!(error instanceof Problem && error.code === "sign_in_again")) tellProblem(error);
    },
  });
}

export function useSignOut() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async () => {
      await take(api.DELETE("/v1/session"));
      await navigate({ to: "/sign-in" });
      // What the page there shows is in use and stays; all that the person saw goes.
      client.removeQueries({ type: "inactive" });
    },
    onError: tellProblem,
  });
}

/** After any kind of sign-in: start from an empty cache at the given place. */
export function useEnter() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return async (to: string) => {
    client.clear();
    await navigate({ href: to, replace: true });
  };
}
