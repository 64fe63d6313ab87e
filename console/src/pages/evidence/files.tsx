/** The three files that a verification takes, and how it is done. */
import { Button, Group, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type AuditCheckpoint, evidenceAddress, sealsQuery } from "../../api/evidence";
import { signatureKeysQuery } from "../../api/policies";
import { download } from "../../parts/download";
import { tellProblem } from "../../parts/notify";
import { Section } from "../../parts/page";
import { useOrganization, useWhyNot } from "../../parts/permissions";
import { words } from "../../words";
import { Command } from "../policies/how-to";
import policies from "../policies/policies.module.css";

const said = words.evidence;

const names = {
  evidence: "audit-evidence.jsonl",
  checkpoint: "audit-checkpoint.jsonl",
  keys: "signature-keys.json",
};

export function Files({ checkpoint }: { checkpoint: AuditCheckpoint | undefined }) {
  return (
    <>
      <Section title={said.files} text={said.filesText}>
        <ul className={policies.documents}>
          <Item title={said.whole} text={said.wholeText}>
            <Evidence sealed={checkpoint !== undefined} />
          </Item>
          <Item title={said.one} text={said.oneText}>
            <Save
              name={names.checkpoint}
              disabled={checkpoint ? undefined : said.noneYet}
              onClick={() => checkpoint && keep(checkpoint)}
            />
          </Item>
          <Item title={said.keys} text={said.keysText}>
            <Keys />
          </Item>
        </ul>
      </Section>
      <Section title={said.verify} text={said.verifyText}>
        <ol className={policies.steps}>
          <li>
            <Text>{said.stepCommand}</Text>
            <Command text={`freehold audit verify ${names.evidence} --key ${names.keys}`} />
          </li>
          <li>
            <Text>{said.stepAnchor}</Text>
            <Command
              text={`freehold audit verify ${names.evidence} --key ${names.keys} --anchor ${names.checkpoint}`}
            />
          </li>
          <li>
            <Text>{said.stepGuide}</Text>
          </li>
        </ol>
      </Section>
    </>
  );
}

function keep({ jws }: AuditCheckpoint) {
  const line = `${JSON.stringify({ type: "checkpoint", jws })}\n`;
  download(new Blob([line], { type: "application/x-ndjson" }), names.checkpoint);
}

/** The browser fetches it by itself; the session is renewed before, if it has to be. */
function Evidence({ sealed }: { sealed: boolean }) {
  const organization = useOrganization();
  const client = useQueryClient();
  const forbidden = useWhyNot("audit_evidence_get");
  const run = useMutation({
    mutationFn: () => client.fetchQuery({ ...sealsQuery(organization.id), staleTime: 0 }),
    onSuccess: () => {
      const link = document.createElement("a");
      link.href = evidenceAddress(organization.id);
      link.download = names.evidence;
      document.body.append(link);
      link.click();
      link.remove();
    },
    onError: tellProblem,
  });
  return (
    <Save
      name={names.evidence}
      loading={run.isPending}
      disabled={forbidden ?? (sealed ? undefined : said.noneYet)}
      onClick={() => run.mutate()}
    />
  );
}

function Keys() {
  const client = useQueryClient();
  const run = useMutation({
    mutationFn: () => client.fetchQuery(signatureKeysQuery),
    onSuccess: (bytes) => download(new Blob([bytes], { type: "application/json" }), names.keys),
    onError: tellProblem,
  });
  return <Save name={names.keys} loading={run.isPending} onClick={() => run.mutate()} />;
}

interface ItemProps {
  title: string;
  text: string;
  children: ReactNode;
}

function Item({ title, text, children }: ItemProps) {
  return (
    <li>
      <Group justify="space-between" align="flex-start" gap="sm">
        <div className={policies.documentName}>
          <Text fw={550}>{title}</Text>
          <Text size="xs" c="dimmed">
            {text}
          </Text>
        </div>
        {children}
      </Group>
    </li>
  );
}

interface SaveProps {
  name: string;
  onClick: () => void;
  loading?: boolean;
  /** Why it can't be had. */
  disabled?: string;
}

function Save({ name, onClick, loading, disabled }: SaveProps) {
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconDownload size={14} aria-hidden="true" />}
      aria-label={said.downloadOf(name)}
      loading={loading}
      disabled={disabled !== undefined}
      title={disabled}
      onClick={onClick}
    >
      {said.download}
    </Button>
  );
}
