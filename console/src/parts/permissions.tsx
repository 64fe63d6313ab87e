/**
 * What the signed-in person may do here. The server's guard decides; this only reads its answer
 * (`me.operations`) and, for what is refused, the reason from the same policy registry.
 */
import {
  ActionIcon,
  Button,
  type ButtonProps,
  Menu,
  type MenuItemProps,
  Tooltip,
} from "@mantine/core";
import { useSuspenseQuery } from "@tanstack/react-query";
import type { MouseEvent, ReactNode } from "react";
import { type OperationId, operations } from "../api/operations.gen";
import { meQuery } from "../api/queries";
import type { Me } from "../api/types";
import { words } from "../words";

export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}

/** The organisation that the person works in. Only for pages below `/o/…`, where there is one. */
export function useOrganization() {
  const { organization } = useMe();
  if (!organization) throw new Error("page needs an active organisation");
  return organization;
}

export function allowed(me: Me, operation: OperationId): boolean {
  return me.operations.includes(operation);
}

export function roleName(role: string): string {
  return words.roles.names[role] ?? role;
}

/** Why an operation is refused, or null when it is allowed. */
export function whyNot(me: Me, operation: OperationId): string | null {
  if (allowed(me, operation)) return null;
  const { scope, minimumRole } = operations[operation];
  if (scope === "platform") return words.common.notAllowedPlatform;
  if (minimumRole) return words.common.notAllowed(roleName(minimumRole));
  return words.common.notAllowedNow;
}

export function useWhyNot(operation: OperationId): string | null {
  return whyNot(useMe(), operation);
}

/**
 * Properties for a control that stays reachable by keyboard when it is off, so that its reason can
 * be read: `aria-disabled` instead of `disabled`.
 */
function offProps(reason: string | null, onClick?: () => void) {
  return {
    "aria-disabled": reason !== null || undefined,
    "data-disabled": reason !== null || undefined,
    onClick: (event: MouseEvent) => {
      if (reason !== null) event.preventDefault();
      else onClick?.();
    },
  };
}

interface GuardedProps {
  /** Why it is off; null when it is on. */
  reason: string | null;
  onClick?: () => void;
  children: ReactNode;
}

/** A button that policy may turn off, with the reason as its tooltip. */
export function GuardedButton({
  reason,
  onClick,
  children,
  ...props
}: GuardedProps & Omit<ButtonProps, "children">) {
  return (
    <Tooltip label={reason} disabled={reason === null}>
      <Button {...props} {...offProps(reason, onClick)}>
        {children}
      </Button>
    </Tooltip>
  );
}

/** A menu entry that policy may turn off, with the reason under its name. */
export function GuardedItem({
  reason,
  onClick,
  children,
  ...props
}: GuardedProps & Omit<MenuItemProps, "children">) {
  return (
    <Tooltip label={reason} disabled={reason === null} position="left">
      <Menu.Item {...props} {...offProps(reason, onClick)} closeMenuOnClick={reason === null}>
        {children}
      </Menu.Item>
    </Tooltip>
  );
}

interface RowMenuProps {
  name: string;
  width?: number;
  children: ReactNode;
}

/** The "…" button that opens a row's menu. */
export function RowMenu({ name, width = 220, children }: RowMenuProps) {
  return (
    <Menu width={width}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={words.common.more(name)}>
          <Dots />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}

function Dots() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="currentColor" aria-hidden="true">
      <circle cx="3" cy="8" r="1.4" />
      <circle cx="8" cy="8" r="1.4" />
      <circle cx="13" cy="8" r="1.4" />
    </svg>
  );
}
