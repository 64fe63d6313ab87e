/** Who manages an account: the organisation whose admins may act on it as a whole. */
import { Select } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { keys, tenantsQuery } from "../../api/queries";
import type { PlatformAccount } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { tell } from "../../parts/notify";
import { words } from "../../words";

const said = words.platform.accounts;

export function ManagerDialog({
  account,
  onClose,
}: {
  account: PlatformAccount;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const name = account.name ?? said.erasedPerson;
  const tenants = useQuery(tenantsQuery);
  const [chosen, setChosen] = useState<string | null>(account.manager?.id ?? null);
  const change = useMutation({
    mutationFn: () =>
      take(
        api.PUT("/v1/accounts/{account_id}/manager", {
          params: { path: { account_id: account.id } },
          body: { organization_id: chosen },
        }),
      ),
    onSuccess: ({ manager }) => {
      tell(manager ? said.managed(name, manager.name) : said.unmanaged(name));
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.accounts }),
  });
  const choices = (tenants.data ?? []).map(({ id, name }) => ({ value: id, label: name }));
  // The one that it has may have been deleted since.
  const own = account.manager;
  if (own && !choices.some(({ value }) => value === own.id)) {
    choices.unshift({ value: own.id, label: own.name });
  }
  return (
    <Confirm
      opened
      onClose={onClose}
      title={said.managerTitle(name)}
      effects={said.managerEffects}
      action={words.common.save}
      onConfirm={() => change.mutate()}
      busy={change.isPending}
      error={change.error ?? tenants.error}
      harmless
    >
      <Select
        label={said.manager}
        description={said.managerHint}
        placeholder={said.noManager}
        data={choices}
        value={chosen}
        onChange={setChosen}
        searchable
        clearable
        clearButtonProps={{ "aria-label": said.noManager }}
        nothingFoundMessage={words.shell.findNothing}
        comboboxProps={{ shadow: "md" }}
        data-autofocus
      />
    </Confirm>
  );
}
