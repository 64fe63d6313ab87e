/** Ending everybody's sessions at once: of an organisation, or of the whole installation. */
import { Checkbox } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../api/client";
import { words } from "../words";
import { Confirm } from "./confirm";
import { tell } from "./notify";
import { Section } from "./page";
import { GuardedButton, useWhyNot } from "./permissions";
import { useEnter } from "./session";

const said = words.sessionEnds.everybody;

/** Whose sessions: of the organisation one works in, of any as the platform, or everybody's. */
export type Whose =
  | { kind: "own" | "tenant"; id: string; name: string }
  | { kind: "everybody"; id?: undefined; name?: undefined };

const operations = {
  own: "organization_sessions_end",
  tenant: "tenant_sessions_end",
  everybody: "sessions_end_everybodys",
} as const;

function send({ kind, id }: Whose, keep_current: boolean) {
  const body = { keep_current };
  if (kind === "everybody") return take(api.POST("/v1/sessions/end", { body }));
  const params = { path: { organization_id: id ?? "" } };
  return kind === "own"
    ? take(api.POST("/v1/organizations/{organization_id}/sessions/end", { body, params }))
    : take(api.POST("/v1/organizations/{organization_id}/end-sessions", { body, params }));
}

/** A part of a page of settings, with the button that asks first. */
export function EndSessionsSection({ whose }: { whose: Whose }) {
  const reason = useWhyNot(operations[whose.kind]);
  const [asking, setAsking] = useState(false);
  return (
    <Section
      title={said.title}
      text={whose.kind === "everybody" ? said.platformText : said.organizationText}
    >
      <GuardedButton reason={reason} variant="light" color="red" onClick={() => setAsking(true)}>
        {said.act}
      </GuardedButton>
      {asking ? <EndSessionsDialog whose={whose} onClose={() => setAsking(false)} /> : null}
    </Section>
  );
}

export function EndSessionsDialog({ whose, onClose }: { whose: Whose; onClose: () => void }) {
  const [keep, setKeep] = useState(true);
  const client = useQueryClient();
  const enter = useEnter();
  const end = useMutation({
    mutationFn: () => send(whose, keep),
    onSuccess: async ({ sessions }) => {
      onClose();
      if (keep || whose.kind === "tenant") await client.invalidateQueries();
      else await enter("/sign-in");
      tell(said.done(sessions));
    },
  });
  const text = whose.kind === "everybody" ? said.ofEverybody : said.ofOrganization(whose.name);
  return (
    <Confirm
      opened
      onClose={onClose}
      title={text.title}
      effects={text.effects}
      action={said.action}
      onConfirm={() => end.mutate()}
      busy={end.isPending}
      error={end.error}
      typed={whose.kind === "everybody" ? said.typed : undefined}
    >
      {whose.kind === "tenant" ? null : (
        <Checkbox
          label={said.keep}
          description={said.keepHint}
          checked={keep}
          onChange={(event) => setKeep(event.currentTarget.checked)}
        />
      )}
    </Confirm>
  );
}
