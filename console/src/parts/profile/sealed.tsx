/** The mark of what is sealed, with the scope. */
import { Badge, Tooltip } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { words } from "../../words";
import classes from "./profile.module.css";

const said = words.attributes;

export function SealedBadge({ scope }: { scope: string }) {
  return (
    <Tooltip label={said.sealedHint(scope)}>
      <Badge
        className={classes.sealed}
        leftSection={<IconLock size={12} stroke={2} aria-hidden="true" />}
      >
        {said.sealed(scope)}
      </Badge>
    </Tooltip>
  );
}
