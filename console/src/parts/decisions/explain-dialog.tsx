/** The dialog that says why somebody may or may not do something. */
import { Button, Group, Modal, SegmentedControl, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { explainQuery } from "../../api/decisions";
import { type OperationId, operations } from "../../api/operations.gen";
import type { DecisionQuestion } from "../../api/types";
import { words } from "../../words";
import { ProblemAlert } from "../confirm";
import { useOrganization } from "../permissions";
import { Loading } from "../states";
import { Explanation } from "./explanation";
import { OperationSelect, type Party, PartySelect } from "./pickers";

const said = words.explainDecision;

interface ExplainDialogProps {
  opened: boolean;
  onClose: () => void;
  /** A refused request, which says by itself who and what it is about. */
  request?: string;
  /** What is chosen to begin with. */
  operation?: OperationId;
}

export function ExplainDialog({ opened, onClose, request, operation }: ExplainDialogProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={<strong>{request ? said.ofRefusal : said.title}</strong>}
      size={560}
    >
      {request ? <Answer question={{ request_id: request }} /> : <Ask operation={operation} />}
    </Modal>
  );
}

function Ask({ operation }: { operation?: OperationId }) {
  const [who, setWho] = useState<Party | null>(null);
  const [what, setWhat] = useState<OperationId | null>(operation ?? null);
  const [object, setObject] = useState<"any" | "own">("any");
  const [question, setQuestion] = useState<DecisionQuestion | null>(null);
  const hasOwn = what !== null && operations[what].ownership !== null && who?.kind !== "service";
  const ask = (event: FormEvent) => {
    event.preventDefault();
    if (!who || !what) return;
    const about = who.kind === "person" ? { account_id: who.id } : { service_account_id: who.id };
    setQuestion({ ...about, operation: what, object: hasOwn ? object : "any" });
  };
  // An answer to another question than the one that is there would mislead.
  const changed = (change: () => void) => {
    setQuestion(null);
    change();
  };
  return (
    <Stack gap="md">
      <form onSubmit={ask} noValidate>
        <Stack gap="md">
          <PartySelect value={who} onChange={(party) => changed(() => setWho(party))} />
          <OperationSelect
            label={said.operation}
            value={what}
            onChange={(name) => changed(() => setWhat(name))}
          />
          {hasOwn ? (
            <SegmentedControl
              aria-label={said.object}
              value={object}
              onChange={(value) => changed(() => setObject(value))}
              data={[
                { value: "any" as const, label: said.objects.any },
                { value: "own" as const, label: said.objects.own },
              ]}
            />
          ) : null}
          <Group justify="flex-end">
            <Button type="submit" disabled={!who || !what}>
              {said.ask}
            </Button>
          </Group>
        </Stack>
      </form>
      {question ? <Answer question={question} /> : null}
      {question ? null : (
        <Text size="sm" c="dimmed">
          {said.personHint}
        </Text>
      )}
    </Stack>
  );
}

function Answer({ question }: { question: DecisionQuestion }) {
  const organization = useOrganization();
  const query = useQuery(explainQuery(organization.id, question));
  if (query.isPending) return <Loading rows={4} />;
  if (query.isError) {
    const detail = "faults" in query.error ? faultsOf(query.error) : undefined;
    return <ProblemAlert error={query.error} detail={detail} />;
  }
  return <Explanation of={query.data} />;
}

function faultsOf(error: unknown): string | undefined {
  const { faults } = error as { faults: { detail: string }[] };
  return faults.map(({ detail }) => detail).join(" ") || undefined;
}
