/** Where one's password is enough for a while, because a second factor was proven there. */
import { Button, Group, Text } from "@mantine/core";
import { IconDeviceDesktop, IconDeviceMobile, IconShieldCheck } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { trustedDevicesQuery } from "../../api/email-codes";
import type { TrustedDevice } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { deviceName, isHandheld } from "../../parts/device";
import { tell } from "../../parts/notify";
import { Section } from "../../parts/page";
import { Empty } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.trustedDevices;

export function MyTrustedDevices() {
  const query = useQuery(trustedDevicesQuery);
  const [revoking, setRevoking] = useState<TrustedDevice | "all" | null>(null);
  const columns: Column<TrustedDevice>[] = [
    ...shown,
    {
      key: "revoke",
      header: words.shell.actions,
      width: 130,
      render: (device) => (
        <Button
          size="compact-sm"
          variant="default"
          aria-label={said.revokeOne(deviceName(device.user_agent))}
          onClick={() => setRevoking(device)}
        >
          {said.revoke}
        </Button>
      ),
    },
  ];
  return (
    <Section
      title={said.title}
      text={said.text}
      flush
      action={
        query.data?.items.length ? (
          <Button variant="light" color="red" size="xs" onClick={() => setRevoking("all")}>
            {said.revokeAll}
          </Button>
        ) : null
      }
    >
      <DataTable
        caption={said.caption}
        columns={columns}
        query={query}
        rowKey={(device) => device.id}
        empty={
          <Empty
            icon={<IconShieldCheck size={22} stroke={1.6} />}
            title={said.emptyTitle}
            text={said.emptyText}
          />
        }
      />
      {revoking ? <Revoke which={revoking} onClose={() => setRevoking(null)} /> : null}
    </Section>
  );
}

const shown: Column<TrustedDevice>[] = [
  {
    key: "device",
    header: words.account.device,
    width: "34%",
    render: ({ user_agent }) => {
      const Icon = isHandheld(user_agent) ? IconDeviceMobile : IconDeviceDesktop;
      return (
        <Group gap={10} wrap="nowrap">
          <Icon size={18} stroke={1.6} aria-hidden="true" />
          <Text inherit fw={550} title={user_agent ?? undefined}>
            {deviceName(user_agent)}
          </Text>
        </Group>
      );
    },
  },
  {
    key: "address",
    header: words.account.address,
    render: ({ ip }) => ip ?? words.common.none,
  },
  {
    key: "since",
    header: said.since,
    wideOnly: true,
    render: ({ created_at }) => <Time value={created_at} form="date" />,
  },
  {
    key: "seen",
    header: said.lastUsed,
    render: ({ last_used_at }) => <Time value={last_used_at} form="relative" />,
  },
  {
    key: "expires",
    header: said.until,
    wideOnly: true,
    render: ({ expires_at }) => <Time value={expires_at} form="date" />,
  },
];

function Revoke({ which, onClose }: { which: TrustedDevice | "all"; onClose: () => void }) {
  const client = useQueryClient();
  const all = which === "all";
  const revoke = useMutation({
    mutationFn: () =>
      all
        ? take(api.DELETE("/v1/me/trusted-devices"))
        : take(
            api.DELETE("/v1/me/trusted-devices/{device_id}", {
              params: { path: { device_id: which.id } },
            }),
          ),
    onSuccess: () => {
      tell(all ? said.allRevoked : said.revoked);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: trustedDevicesQuery.queryKey }),
  });
  return (
    <Confirm
      opened
      onClose={onClose}
      title={all ? said.revokeAllTitle : said.revokeTitle(deviceName(which.user_agent))}
      effects={all ? said.revokeAllEffects : said.revokeEffects}
      action={all ? said.revokeAll : said.revoke}
      onConfirm={() => revoke.mutate()}
      busy={revoke.isPending}
      error={revoke.error}
    />
  );
}
