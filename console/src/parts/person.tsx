/** An account, by its name if that is known, otherwise by its id. */
import { Group } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { accountsQuery } from "../api/queries";
import { words } from "../words";
import { OwnBadge } from "./badges";
import { CopyId } from "./details";
import { allowed, useMe } from "./permissions";

/** Administrators are few and were there early: one page of accounts almost always has them. */
const most = 200;

export function Person({ id, label }: { id: string; label: string }) {
  const me = useMe();
  const own = id === me.account.id;
  const accounts = useQuery({
    ...accountsQuery({ limit: most }),
    enabled: !own && allowed(me, "accounts_list"),
    staleTime: 300_000,
  });
  if (own) {
    return (
      <Group gap={8}>
        {me.account.name} <OwnBadge>{words.common.you}</OwnBadge>
      </Group>
    );
  }
  const account = accounts.data?.items.find((one) => one.id === id);
  return account ? account.name : <CopyId value={id} label={label} />;
}
