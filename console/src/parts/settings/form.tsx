/**
 * A page of settings: a card a section, the bar that saves, and the question before leaving what is
 * not saved. The organisation's page and the platform's differ in whose they are and what they say.
 */
import { Button, Stack, Text } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, ifMatch, take } from "../../api/client";
import { Problem } from "../../api/problem";
import { keys, settingsQuery } from "../../api/queries";
import type { Settings } from "../../api/types";
import { words } from "../../words";
import { Confirm, ProblemAlert } from "../confirm";
import { useOpen } from "../filters";
import { tell } from "../notify";
import { Section } from "../page";
import { useWhyNot } from "../permissions";
import { Failed, Loading } from "../states";
import { type Draft, useDraft } from "./draft";
import { SettingRow } from "./field";
import { SettingsHistory } from "./history";
import { ProfilePicker } from "./profile";
import classes from "./settings.module.css";
import { fieldsInOrder, sectionsInOrder, sectionWords, type Value } from "./values";

const said = words.security;

/** Whose settings these are: an organisation's, or with null the platform's. */
export interface Whose {
  organization: string | null;
}

/** The button that opens the history, for the page's head. */
export function HistoryButton() {
  const open = useOpen();
  return (
    <Button
      variant="default"
      leftSection={<IconHistory size={16} aria-hidden="true" />}
      onClick={() => open({ open: "history" })}
    >
      {said.history}
    </Button>
  );
}

export function SettingsForm({ organization, opened }: Whose & { opened: string | undefined }) {
  const query = useQuery(settingsQuery(organization));
  return (
    <>
      {query.isPending ? <Loading /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.data ? <Form organization={organization} settings={query.data} /> : null}
      <SettingsHistory organization={organization} opened={opened === "history"} />
    </>
  );
}

type Body = Record<string, Record<string, Value>>;

/**
 * Saves what was changed. Somebody else's change meanwhile is shown first; what was typed stays.
 */
function useSave(organization: string | null, settings: Settings, draft: Draft) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: Body) => {
      const header = { "If-Match": ifMatch(settings.version) };
      try {
        const saved: Settings = await (organization === null
          ? take(api.PATCH("/v1/settings", { body, params: { header } }))
          : take(
              api.PATCH("/v1/organizations/{organization_id}/settings", {
                body,
                params: { path: { organization_id: organization }, header },
              }),
            ));
        client.setQueryData(settingsQuery(organization).queryKey, saved);
        draft.discard();
        tell(words.common.saved);
        // The platform's bear on every organisation's, and every change is in the history.
        const touched = organization === null ? ["organization"] : keys.settings(organization);
        await client.invalidateQueries({ queryKey: touched, refetchType: "none" });
        await client.invalidateQueries({ queryKey: keys.settings(organization) });
      } catch (error) {
        if (error instanceof Problem && error.code === "precondition_failed") {
          await client.invalidateQueries({ queryKey: keys.settings(organization) });
        }
        throw error;
      }
    },
  });
}

function Form({ organization, settings }: Whose & { settings: Settings }) {
  const reason = useWhyNot(
    organization === null ? "settings_update" : "organization_settings_update",
  );
  const draft = useDraft(settings.sections);
  const save = useSave(organization, settings, draft);
  const [refusal, setRefusal] = useState<unknown>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const body = draft.body();
    if (body === null || draft.count === 0) return;
    setRefusal(null);
    try {
      await save.mutateAsync(body);
    } catch (error) {
      if (!draft.refused(error)) setRefusal(error);
    }
  };
  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="lg">
        {reason ? <Text c="dimmed">{reason}</Text> : null}
        {sectionsInOrder(settings.sections).map(([section, fields]) => {
          const { title, text } = sectionWords(section);
          return (
            <Section key={section} title={title} text={text}>
              {section === "passwords" ? (
                <ProfilePicker
                  fields={fields}
                  draft={draft}
                  onPlatform={organization === null}
                  readOnly={reason !== null}
                />
              ) : null}
              {fieldsInOrder(section, fields).map(([field, setting]) => (
                <SettingRow
                  key={field}
                  section={section}
                  field={field}
                  setting={setting}
                  draft={draft}
                  onPlatform={organization === null}
                  readOnly={reason !== null}
                />
              ))}
            </Section>
          );
        })}
        {refusal ? <ProblemAlert error={refusal} /> : null}
        <SaveBar draft={draft} busy={save.isPending} />
      </Stack>
      <LeaveGuard count={draft.count} />
    </form>
  );
}

function SaveBar({ draft, busy }: { draft: Draft; busy: boolean }) {
  const waiting = draft.count > 0;
  return (
    <div role="status" className={waiting ? classes.bar : undefined}>
      {waiting ? (
        <>
          <Text fw={550}>{said.unsaved(draft.count)}</Text>
          <span className={classes.acts}>
            <Button variant="default" onClick={draft.discard}>
              {said.discard}
            </Button>
            <Button type="submit" loading={busy} disabled={draft.body() === null}>
              {words.common.save}
            </Button>
          </span>
        </>
      ) : null}
    </div>
  );
}

/** Asks before another page, or none, takes the place of one with unsaved changes. */
function LeaveGuard({ count }: { count: number }) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => count > 0 && current.pathname !== next.pathname,
    enableBeforeUnload: () => count > 0,
    withResolver: true,
  });
  return (
    <Confirm
      opened={status === "blocked"}
      onClose={() => reset?.()}
      title={said.leaveTitle}
      effects={[said.leaveEffect(count)]}
      action={said.leave}
      onConfirm={() => proceed?.()}
      busy={false}
    />
  );
}
