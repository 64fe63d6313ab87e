/** What can be done with a service account, and why not when it can't. One list for menu and drawer. */
import { Menu } from "@mantine/core";
import { IconPencil, IconPlayerPause, IconPlayerPlay, IconTrash } from "@tabler/icons-react";
import type { OperationId } from "../../api/operations.gen";
import type { ServiceAccount } from "../../api/types";
import { GuardedItem, RowMenu, useMe, whyNot } from "../../parts/permissions";
import { covers, useRoles } from "../../parts/role-select";
import { words } from "../../words";
import type { Act } from "./dialogs";

const said = words.serviceAccounts;

/** Why each act on this service account is off; null when it is on. */
export function useReasons(account: ServiceAccount) {
  const me = useMe();
  const roles = useRoles();
  const above = roles.length > 0 && !covers(roles, me, account.role) ? said.aboveOwn : null;
  const reason = (operation: OperationId) => whyNot(me, operation) ?? above;
  return {
    edit: reason("service_accounts_update"),
    disable: reason("service_accounts_disable"),
    enable: reason("service_accounts_enable"),
    delete: reason("service_accounts_delete"),
    createKey: reason("api_keys_create"),
    revokeKey: reason("api_keys_revoke"),
  };
}

interface MenuProps {
  account: ServiceAccount;
  onAct: (act: Act) => void;
}

export function ServiceAccountMenu({ account, onAct }: MenuProps) {
  const reasons = useReasons(account);
  return (
    <RowMenu name={account.name}>
      <GuardedItem
        reason={reasons.edit}
        leftSection={<IconPencil size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "edit", account })}
      >
        {said.edit}
      </GuardedItem>
      {account.state === "active" ? (
        <GuardedItem
          reason={reasons.disable}
          leftSection={<IconPlayerPause size={16} aria-hidden="true" />}
          onClick={() => onAct({ kind: "disable", account })}
        >
          {said.disable}
        </GuardedItem>
      ) : (
        <GuardedItem
          reason={reasons.enable}
          leftSection={<IconPlayerPlay size={16} aria-hidden="true" />}
          onClick={() => onAct({ kind: "enable", account })}
        >
          {said.enable}
        </GuardedItem>
      )}
      <Menu.Divider />
      <GuardedItem
        reason={reasons.delete}
        color="red"
        leftSection={<IconTrash size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "delete", account })}
      >
        {said.delete}
      </GuardedItem>
    </RowMenu>
  );
}
