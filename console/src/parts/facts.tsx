/** A few names and values side by side, on top of a list: what holds for all of it. */
import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./facts.module.css";

/** With a note below that explains them. */
export function Facts({ children, note }: { children: ReactNode; note: string }) {
  return (
    <div className={classes.facts}>
      <dl>{children}</dl>
      <Text size="xs" c="dimmed">
        {note}
      </Text>
    </div>
  );
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
