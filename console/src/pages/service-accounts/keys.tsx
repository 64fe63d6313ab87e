/** The keys of a service account: how each begins, until when and from where it works, when it was used. */
import { Code, Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { apiKeysQuery } from "../../api/service-accounts";
import type { ApiKey, ServiceAccount } from "../../api/types";
import { Status } from "../../parts/badges";
import { GuardedButton } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";
import type { Act } from "./dialogs";
import classes from "./keys.module.css";
import { useReasons } from "./menu";

const said = words.serviceAccounts.key;

interface KeysProps {
  account: ServiceAccount;
  onAct: (act: Act) => void;
}

export function Keys({ account, onAct }: KeysProps) {
  const query = useQuery(apiKeysQuery(account.organization_id, account.id));
  const reasons = useReasons(account);
  return (
    <section aria-label={said.list}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={3} size="h5">
            {said.title}
          </Title>
          <GuardedButton
            size="xs"
            reason={reasons.createKey}
            onClick={() => onAct({ kind: "create-key", account })}
          >
            {said.create}
          </GuardedButton>
        </Group>
        {query.isPending ? <Loading rows={2} /> : null}
        {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
        {query.data?.items.length === 0 ? <Text c="dimmed">{said.none}</Text> : null}
        {query.data && query.data.items.length > 0 ? (
          <ul className={classes.keys}>
            {query.data.items.map((key) => (
              <li key={key.id} className={classes.key}>
                <KeyOf apiKey={key} />
                {key.revoked_at ? null : (
                  <GuardedButton
                    size="compact-xs"
                    variant="light"
                    color="red"
                    reason={reasons.revokeKey}
                    aria-label={said.revokeOne(key.name)}
                    onClick={() => onAct({ kind: "revoke-key", account, apiKey: key })}
                  >
                    {said.revoke}
                  </GuardedButton>
                )}
              </li>
            ))}
          </ul>
        ) : null}
      </Stack>
    </section>
  );
}

function KeyOf({ apiKey }: { apiKey: ApiKey }) {
  const { name, prefix, expires_at, allowed_networks, last_used_at, last_used_ip } = apiKey;
  return (
    <div className={classes.about}>
      <Group gap="xs">
        <Text fw={550}>{name}</Text>
        <KeyState apiKey={apiKey} />
      </Group>
      <Code className={classes.prefix}>{prefix}…</Code>
      <Text size="xs" c="dimmed">
        {last_used_at ? (
          <>
            {said.used} <Time value={last_used_at} form="relative" />{" "}
            {last_used_ip ? said.from(last_used_ip) : null}
          </>
        ) : (
          said.never
        )}
      </Text>
      <Text size="xs" c="dimmed">
        {expires_at ? (
          <>
            {said.expiresAt} <Time value={expires_at} />
          </>
        ) : (
          said.neverExpires
        )}
      </Text>
      {allowed_networks.length > 0 ? (
        <Text size="xs" c="dimmed">
          {said.only(allowed_networks)}
        </Text>
      ) : null}
    </div>
  );
}

function KeyState({ apiKey }: { apiKey: ApiKey }) {
  if (apiKey.revoked_at) return <Status tone="quiet">{said.revoked}</Status>;
  const over = apiKey.expires_at && new Date(apiKey.expires_at) <= new Date();
  return <Status tone={over ? "warn" : "good"}>{over ? said.expired : said.works}</Status>;
}
