/** A device as a line of a table: what it is, and its name. */
import { Group, Text } from "@mantine/core";
import { IconDeviceDesktop, IconDeviceMobile } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { deviceName, isHandheld } from "./device";

interface Props {
  userAgent?: string | null;
  /** What stands behind the name. */
  children?: ReactNode;
}

export function DeviceName({ userAgent, children }: Props) {
  const Icon = isHandheld(userAgent) ? IconDeviceMobile : IconDeviceDesktop;
  return (
    <Group gap={10} wrap="nowrap">
      <Icon size={18} stroke={1.6} aria-hidden="true" />
      <Text inherit fw={550} title={userAgent ?? undefined}>
        {deviceName(userAgent)}
      </Text>
      {children}
    </Group>
  );
}
