/** What people do with an alert: each dialog says what follows from it. */
import { Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { api, ifMatch, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { Alert } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { choicesOf } from "../../parts/filters";
import { useOrganization } from "../../parts/permissions";
import { words } from "../../words";

const said = words.alerts;

export interface Act {
  kind: "acknowledge" | "reopen" | "mute" | "unmute";
  alert: Alert;
}

interface DialogProps {
  alert: Alert;
  onClose: () => void;
}

export function AlertDialogs({ act, onClose }: { act: Act | null; onClose: () => void }) {
  if (!act) return null;
  const props = { key: `${act.kind} ${act.alert.id}`, alert: act.alert, onClose };
  const { key, ...rest } = props;
  if (act.kind === "mute") return <MuteDialog key={key} {...rest} />;
  if (act.kind === "unmute") return <UnmuteDialog key={key} {...rest} />;
  return <DecideDialog key={key} kind={act.kind} {...rest} />;
}

function useTarget(alert: Alert) {
  const organization = useOrganization();
  return {
    params: {
      path: { organization_id: organization.id, alert_id: alert.id },
      header: { "If-Match": ifMatch(alert.version) },
    },
    refresh: [keys.alerts(organization.id), keys.audit(organization.id)],
  };
}

const path = "/v1/organizations/{organization_id}/alerts/{alert_id}";

function DecideDialog({ kind, alert, onClose }: DialogProps & { kind: "acknowledge" | "reopen" }) {
  const { params, refresh } = useTarget(alert);
  const [note, setNote] = useState("");
  const body = { note: note.trim() || undefined };
  const acknowledging = kind === "acknowledge";
  return (
    <ActDialog
      onClose={onClose}
      harmless
      text={{
        title: acknowledging ? said.acknowledgeTitle(alert.title) : said.reopenTitle(alert.title),
        effects: acknowledging ? said.acknowledgeEffects : said.reopenEffects,
        action: acknowledging ? said.acknowledge : said.reopen,
        done: acknowledging ? said.acknowledged : said.reopened,
      }}
      run={() =>
        acknowledging
          ? take(api.POST(`${path}/acknowledge`, { body, params }))
          : take(api.POST(`${path}/reopen`, { body, params }))
      }
      refresh={refresh}
    >
      <TextInput
        label={said.note}
        description={said.noteHint}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        maxLength={1000}
        autoComplete="off"
        data-autofocus
      />
    </ActDialog>
  );
}

function MuteDialog({ alert, onClose }: DialogProps) {
  const { params, refresh } = useTarget(alert);
  const [hours, setHours] = useState("24");
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.muteTitle(alert.title),
        effects: said.muteEffects,
        action: said.mute,
        done: said.mutedDone(alert.title),
      }}
      run={() => take(api.POST(`${path}/mute`, { body: { until: after(hours) }, params }))}
      refresh={refresh}
    >
      <MuteSpan value={hours} onChange={setHours} />
    </ActDialog>
  );
}

function UnmuteDialog({ alert, onClose }: DialogProps) {
  const { params, refresh } = useTarget(alert);
  return (
    <ActDialog
      onClose={onClose}
      harmless
      text={{
        title: said.unmute,
        effects: [said.unmutedDone(alert.title)],
        action: said.unmute,
        done: said.unmutedDone(alert.title),
      }}
      run={() => take(api.POST(`${path}/unmute`, { params }))}
      refresh={refresh}
    />
  );
}

/** The moment so many hours from now; a minute less, because clocks differ. */
export function after(hours: string): string {
  return new Date(Date.now() + Number(hours) * 3_600_000 - 60_000).toISOString();
}

export function MuteSpan({ value, onChange }: { value: string; onChange: (next: string) => void }) {
  return (
    <Select
      label={said.muteFor}
      data={choicesOf(said.muteSpans)}
      value={value}
      onChange={(next) => onChange(next ?? value)}
      allowDeselect={false}
    />
  );
}
