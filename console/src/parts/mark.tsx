/** The mark: an arch whose keystone holds it together. Decorative; the name stands beside it. */
import { Group, Text } from "@mantine/core";
import { words } from "../words";
import classes from "./mark.module.css";

export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className={classes.mark}>
      <rect width="32" height="32" rx="7" className={classes.ground} />
      <path
        className={classes.stone}
        d="M6.5 26V15.6a9.5 9.5 0 0 1 5.6-8.7l1.9 6.1a3.9 3.9 0 0 0-1.9 3.3V26zM25.5 26V15.6a9.5 9.5 0 0 0-5.6-8.7L18 13a3.9 3.9 0 0 1 1.9 3.3V26z"
      />
      <path className={classes.key} d="M13.5 5.2h5l-1.5 6.9h-2z" />
    </svg>
  );
}

export function Wordmark() {
  return (
    <Group gap={10} wrap="nowrap">
      <Mark />
      <Text component="span" className={classes.name}>
        {words.product}
      </Text>
    </Group>
  );
}
