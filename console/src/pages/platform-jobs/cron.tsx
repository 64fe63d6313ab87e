/** A cron line as it is, in fixed width; `scheduleText` says what it means. */
import { Code } from "@mantine/core";
import { words } from "../../words";
import classes from "./jobs.module.css";

export function Cron({ line }: { line: string }) {
  return (
    <Code fz="xs" title={words.jobs.cron} className={classes.cron}>
      {line}
    </Code>
  );
}
