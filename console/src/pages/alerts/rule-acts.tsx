/** What people do with a rule. */
import { useState } from "react";
import { api, ifMatch, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { AlertRule } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { useOrganization } from "../../parts/permissions";
import { words } from "../../words";
import { after, MuteSpan } from "./acts";
import { EditRuleDialog } from "./rule-form";

const said = words.alerts;

export type RuleAct =
  | { kind: "edit"; rule: AlertRule }
  | { kind: "switch"; rule: AlertRule }
  | { kind: "delete"; rule: AlertRule }
  | { kind: "mute"; rule: string; title: string }
  | { kind: "unmute"; rule: string; title: string };

export function RuleDialogs({ act, onClose }: { act: RuleAct | null; onClose: () => void }) {
  switch (act?.kind) {
    case undefined:
      return null;
    case "edit":
      return <EditRuleDialog key={act.rule.id} rule={act.rule} onClose={onClose} />;
    case "switch":
      return <SwitchDialog rule={act.rule} onClose={onClose} />;
    case "delete":
      return <DeleteDialog rule={act.rule} onClose={onClose} />;
    case "mute":
      return <MuteDialog rule={act.rule} title={act.title} onClose={onClose} />;
    case "unmute":
      return <UnmuteDialog rule={act.rule} title={act.title} onClose={onClose} />;
  }
}

function useTarget(rule: AlertRule) {
  const organization = useOrganization();
  return {
    params: {
      path: { organization_id: organization.id, alert_rule_id: rule.id },
      header: { "If-Match": ifMatch(rule.version) },
    },
    refresh: [keys.alerts(organization.id)],
  };
}

const path = "/v1/organizations/{organization_id}/alert-rules/{alert_rule_id}";
const mutes = "/v1/organizations/{organization_id}/alert-mutes";

interface OwnProps {
  rule: AlertRule;
  onClose: () => void;
}

function SwitchDialog({ rule, onClose }: OwnProps) {
  const { params, refresh } = useTarget(rule);
  const enabled = !rule.enabled;
  const action = enabled ? said.switchOn : said.switchOff;
  return (
    <ActDialog
      onClose={onClose}
      harmless={enabled}
      text={{
        title: `${action}: ${rule.name}`,
        effects: [enabled ? said.countsAgain : said.countsNothing],
        action,
        done: said.switched(rule.name, enabled),
      }}
      run={() => take(api.PATCH(path, { body: { enabled }, params }))}
      refresh={refresh}
    />
  );
}

function DeleteDialog({ rule, onClose }: OwnProps) {
  const { params, refresh } = useTarget(rule);
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.removeTitle(rule.name),
        effects: said.removeEffects,
        action: said.remove,
        done: said.removed(rule.name),
      }}
      run={() => take(api.DELETE(path, { params }))}
      refresh={refresh}
    />
  );
}

interface MuteProps {
  rule: string;
  title: string;
  onClose: () => void;
}

function MuteDialog({ rule, title, onClose }: MuteProps) {
  const { id: organization_id } = useOrganization();
  const [hours, setHours] = useState("24");
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.muteTitle(title),
        effects: said.muteRuleEffects,
        action: said.mute,
        done: said.mutedDone(title),
      }}
      run={() =>
        take(
          api.POST(mutes, {
            body: { rule, until: after(hours) },
            params: { path: { organization_id } },
          }),
        )
      }
      refresh={[keys.alerts(organization_id)]}
    >
      <MuteSpan value={hours} onChange={setHours} />
    </ActDialog>
  );
}

function UnmuteDialog({ rule, title, onClose }: MuteProps) {
  const { id: organization_id } = useOrganization();
  return (
    <ActDialog
      onClose={onClose}
      harmless
      text={{
        title: said.unmute,
        effects: [said.unmutedDone(title)],
        action: said.unmute,
        done: said.unmutedDone(title),
      }}
      run={() =>
        take(api.DELETE(`${mutes}/{rule}`, { params: { path: { organization_id, rule } } }))
      }
      refresh={[keys.alerts(organization_id)]}
    />
  );
}
