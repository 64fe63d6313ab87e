/** A policy that could not be read. A moment that the history does not have is no fault: it says which has. */
import { Button, Group } from "@mantine/core";
import { IconHistoryOff } from "@tabler/icons-react";
import { Problem } from "../../api/problem";
import { Panel } from "../../parts/panel";
import { Empty, Failed } from "../../parts/states";
import { words } from "../../words";
import { momentText, roundUp } from "./moments";

const said = words.policies.edges;

interface PolicyFailedProps {
  error: unknown;
  retry: () => void;
  /** Shows the earliest moment instead, or all since then. */
  toBeginning: (since: string | undefined) => void;
  toBeginningText: string;
  /** Shows the present instead. */
  toPresent: () => void;
}

export function PolicyFailed(props: PolicyFailedProps) {
  const { error, retry, toBeginning, toBeginningText, toPresent } = props;
  const faults = error instanceof Problem ? error.faults : [];
  const before = faults.find(({ code }) => code === "before_history");
  const edge = before ?? faults.find(({ code }) => code in others);
  if (!edge) {
    return (
      <Panel>
        <Failed error={error} retry={retry} />
      </Panel>
    );
  }
  const since = before ? sinceOf(before.detail) : undefined;
  const { title, text } = before
    ? {
        title: said.beforeTitle,
        text: since ? said.before(momentText(since)) : said.beforeUnknown,
      }
    : (others[edge.code] ?? { title: "", text: "" });
  return (
    <Panel>
      <Empty
        icon={<IconHistoryOff size={22} stroke={1.6} />}
        title={title}
        text={text}
        action={
          <Group gap="xs" justify="center">
            {before ? (
              <Button onClick={() => toBeginning(since && roundUp(since))}>
                {toBeginningText}
              </Button>
            ) : null}
            <Button variant="default" onClick={toPresent}>
              {words.policies.asOf.backToNow}
            </Button>
          </Group>
        }
      />
    </Panel>
  );
}

const others: Record<string, { title: string; text: string }> = {
  in_the_future: { title: said.futureTitle, text: said.future },
  before_from: { title: said.orderTitle, text: said.order },
};

/** The moment in a sentence of the server's: "the history is kept since 2026-…". */
function sinceOf(detail: string): string | undefined {
  return /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(detail)?.[0];
}
