/** What is asked before something is done to a service account or a key: each says what it changes. */
import { useNavigate } from "@tanstack/react-router";
import { api, ifMatch, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { ApiKey, ServiceAccount } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { words } from "../../words";
import { EditDialog } from "./form";
import { CreateKeyDialog } from "./new-key";

const said = words.serviceAccounts;

export type Act =
  | { kind: "edit" | "disable" | "enable" | "delete" | "create-key"; account: ServiceAccount }
  | { kind: "revoke-key"; account: ServiceAccount; apiKey: ApiKey };

interface DialogsProps {
  act: Act | null;
  onClose: () => void;
}

export function ServiceAccountDialogs({ act, onClose }: DialogsProps) {
  if (!act) return null;
  const { account } = act;
  switch (act.kind) {
    case "edit":
      return <EditDialog account={account} onClose={onClose} />;
    case "create-key":
      return <CreateKeyDialog account={account} onClose={onClose} />;
    case "revoke-key":
      return <RevokeDialog account={account} apiKey={act.apiKey} onClose={onClose} />;
    case "delete":
      return <DeleteDialog account={account} onClose={onClose} />;
    default:
      return <TurnDialog account={account} turn={act.kind} onClose={onClose} />;
  }
}

const placeOf = ({ organization_id, id }: ServiceAccount) => ({
  organization_id,
  service_account_id: id,
});

const touched = ({ organization_id }: ServiceAccount) => [keys.serviceAccounts(organization_id)];

interface ActProps {
  account: ServiceAccount;
  onClose: () => void;
}

const base = "/v1/organizations/{organization_id}/service-accounts/{service_account_id}" as const;

function TurnDialog({ account, turn, onClose }: ActProps & { turn: "disable" | "enable" }) {
  const { name, key_count } = account;
  const params = { path: placeOf(account) };
  const disabling = turn === "disable";
  return (
    <ActDialog
      onClose={onClose}
      harmless={!disabling}
      text={{
        title: disabling ? said.disableTitle(name) : said.enableTitle(name),
        effects: disabling ? said.disableEffects(key_count) : said.enableEffects(key_count),
        action: disabling ? said.disable : said.enable,
        done: disabling ? said.disabledDone(name) : said.enabledDone(name),
      }}
      run={() =>
        disabling
          ? take(api.POST(`${base}/disable`, { params }))
          : take(api.POST(`${base}/enable`, { params }))
      }
      refresh={touched(account)}
    />
  );
}

function DeleteDialog({ account, onClose }: ActProps) {
  const navigate = useNavigate();
  const params = { path: placeOf(account), header: { "If-Match": ifMatch(account.version) } };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.deleteTitle(account.name),
        effects: said.deleteEffects(account.key_count),
        action: said.deleteDo,
        done: said.deletedDone(account.name),
      }}
      run={() => take(api.DELETE(base, { params }))}
      onDone={() => navigate({ to: ".", search: (now) => ({ ...now, open: undefined }) })}
      refresh={touched(account)}
    />
  );
}

function RevokeDialog({ account, apiKey, onClose }: ActProps & { apiKey: ApiKey }) {
  const path = { ...placeOf(account), api_key_id: apiKey.id };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.key.revokeTitle(apiKey.name),
        effects: said.key.revokeEffects,
        action: said.key.revokeDo,
        done: said.key.revokedDone(apiKey.name),
      }}
      run={() => take(api.DELETE(`${base}/keys/{api_key_id}`, { params: { path } }))}
      refresh={touched(account)}
    />
  );
}
