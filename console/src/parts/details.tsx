/** A drawer with all that is known of one object. Which one is in the address (`open`). */
import { ActionIcon, CopyButton, Drawer, Group, Stack, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { words } from "../words";
import classes from "./details.module.css";

interface DetailsProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  actions?: ReactNode;
  /** Width in pixels, for what does not fit the usual one. */
  size?: number;
}

export function Details({ opened, onClose, title, children, actions, size }: DetailsProps) {
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      title={title}
      size={size}
      classNames={{ title: classes.title }}
    >
      <Stack gap="lg">
        {children}
        {actions ? (
          <Group gap="xs" className={classes.actions}>
            {actions}
          </Group>
        ) : null}
      </Stack>
    </Drawer>
  );
}

/** Names and values. */
export function Fields({ children }: { children: ReactNode }) {
  return <dl className={classes.fields}>{children}</dl>;
}

export function Field({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.field}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** An identifier in fixed width, with a button that copies it. */
export function CopyId({ value, label }: { value: string; label: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Text span ff="monospace" fz="xs" className={classes.id}>
        {value}
      </Text>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? words.common.copied : words.common.copy}>
            <ActionIcon
              size="sm"
              variant="subtle"
              color="gray"
              onClick={copy}
              aria-label={copied ? words.common.copied : `${words.common.copy}: ${label}`}
            >
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
