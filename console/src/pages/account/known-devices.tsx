/** Where one has signed in before: strangers who guess passwords don't lock one out there. */
import { Button, Group, Text } from "@mantine/core";
import { IconDeviceDesktop, IconDeviceMobile, IconDevices } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { keys, knownDevicesQuery } from "../../api/queries";
import type { KnownDevice } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { deviceName, isHandheld } from "../../parts/device";
import { tell } from "../../parts/notify";
import { Section } from "../../parts/page";
import { Empty } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.account.knownDevices;

export function MyKnownDevices() {
  const query = useQuery(knownDevicesQuery);
  const [forgetting, setForgetting] = useState<KnownDevice | "all" | null>(null);
  const columns: Column<KnownDevice>[] = [
    ...shown,
    {
      key: "forget",
      header: words.shell.actions,
      width: 130,
      render: (device) => (
        <Button
          size="compact-sm"
          variant="default"
          aria-label={said.forgetOne(deviceName(device.user_agent))}
          onClick={() => setForgetting(device)}
        >
          {said.forget}
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
          <Button variant="light" color="red" size="xs" onClick={() => setForgetting("all")}>
            {said.forgetAll}
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
            icon={<IconDevices size={22} stroke={1.6} />}
            title={said.emptyTitle}
            text={said.emptyText}
          />
        }
      />
      {forgetting ? <Forget which={forgetting} onClose={() => setForgetting(null)} /> : null}
    </Section>
  );
}

const shown: Column<KnownDevice>[] = [
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
    header: said.lastSignIn,
    render: ({ last_seen_at }) => <Time value={last_seen_at} form="relative" />,
  },
  {
    key: "expires",
    header: said.until,
    wideOnly: true,
    render: ({ expires_at }) => <Time value={expires_at} form="date" />,
  },
];

function Forget({ which, onClose }: { which: KnownDevice | "all"; onClose: () => void }) {
  const client = useQueryClient();
  const all = which === "all";
  const forget = useMutation({
    mutationFn: () =>
      all
        ? take(api.DELETE("/v1/me/known-devices"))
        : take(
            api.DELETE("/v1/me/known-devices/{device_id}", {
              params: { path: { device_id: which.id } },
            }),
          ),
    onSuccess: () => {
      tell(all ? said.allForgotten : said.forgotten);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.knownDevices }),
  });
  return (
    <Confirm
      opened
      onClose={onClose}
      title={all ? said.forgetAllTitle : said.forgetTitle(deviceName(which.user_agent))}
      effects={all ? said.forgetAllEffects : said.forgetEffects}
      action={all ? said.forgetAll : said.forget}
      onConfirm={() => forget.mutate()}
      busy={forget.isPending}
      error={forget.error}
    />
  );
}
