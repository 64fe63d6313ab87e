/** The policy to take along: the signed documents, their digests and signatures, and how to verify them. */
import { Button, Group, Text } from "@mantine/core";
import { IconDownload, IconFileCode, IconKey } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import {
  type PolicyDocument,
  readTable,
  type Signed,
  signatureKeysQuery,
  type Whose,
} from "../../api/policies";
import { verify } from "../../api/verify.gen";
import { download } from "../../parts/download";
import { tellProblem } from "../../parts/notify";
import { Section } from "../../parts/page";
import { words } from "../../words";
import { HowTo } from "./how-to";
import classes from "./policies.module.css";
import { usePolicy, usePolicySearch } from "./search";
import { SignedFacts } from "./signed-facts";

const said = words.policies.evidence;

interface EvidenceProps {
  whose: Whose;
  documents: PolicyDocument[];
}

export function Evidence({ whose, documents }: EvidenceProps) {
  const { as_of, only } = usePolicySearch();
  const query = usePolicy(whose);
  // What was read of one moment is not evidence of another.
  const moment = `${as_of ?? ""} ${only ?? ""}`;
  return (
    <div className={classes.stack}>
      <Section title={said.documents} text={said.documentsText}>
        <ul className={classes.documents}>
          {documents.map((document, index) => (
            <Item
              key={document.digest}
              title={documents.length > 1 ? said.jsonPart(index + 1, documents.length) : said.json}
              text={said.jsonText}
              action={
                <Save
                  label={said.downloadJson}
                  signed={document}
                  name={`policies${part(index)}`}
                  type="application/json"
                />
              }
            >
              <SignedFacts signed={document} />
            </Item>
          ))}
          <Table key={`operations ${moment}`} whose={whose} table="operations" />
          <Table key={`holders ${moment}`} whose={whose} table="holders" />
        </ul>
        {query.hasNextPage ? (
          <Group gap="sm" mt="md">
            <Text c="dimmed">{said.moreParts}</Text>
            <Button
              size="xs"
              variant="default"
              loading={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              {words.policies.holders.more}
            </Button>
          </Group>
        ) : null}
        <Tools />
      </Section>
      <HowTo whose={whose} policy={documents[0]?.policy} />
    </div>
  );
}

/** The second document of several is "policies-2". */
function part(index: number): string {
  return index === 0 ? "" : `-${index + 1}`;
}

interface ItemProps {
  title: string;
  text: string;
  action: ReactNode;
  children?: ReactNode;
}

function Item({ title, text, action, children }: ItemProps) {
  return (
    <li>
      <Group justify="space-between" align="flex-start" gap="sm">
        <div className={classes.documentName}>
          <Text fw={550}>{title}</Text>
          <Text size="xs" c="dimmed">
            {text}
          </Text>
        </div>
        {action}
      </Group>
      {children}
    </li>
  );
}

interface SaveProps {
  label: string;
  signed: Signed;
  /** The files' names without their endings. */
  name: string;
  type: "application/json" | "text/csv";
}

const endings = { "application/json": "json", "text/csv": "csv" } as const;

function Save({ label, signed, name, type }: SaveProps) {
  const file = `${name}.${endings[type]}`;
  return (
    <Group gap="xs">
      <Button
        size="xs"
        variant="default"
        leftSection={<IconDownload size={14} aria-hidden="true" />}
        aria-label={said.downloadOf(label, file)}
        onClick={() => download(new Blob([signed.bytes], { type }), file)}
      >
        {label}
      </Button>
      <Button
        size="xs"
        variant="default"
        aria-label={said.downloadOf(said.signature, `${name}.jws`)}
        onClick={() =>
          download(new Blob([signed.signature], { type: "application/jose" }), `${name}.jws`)
        }
      >
        {said.signature}
      </Button>
    </Group>
  );
}

const tables = {
  operations: {
    title: said.operationsCsv,
    text: said.operationsCsvText,
    name: "policies-operations",
  },
  holders: { title: said.holdersCsv, text: said.holdersCsvText, name: "policies-holders" },
};

/** A table is read when it is asked for: that is another read, with a signature of its own. */
function Table({ whose, table }: { whose: Whose; table: "operations" | "holders" }) {
  const { as_of, only } = usePolicySearch();
  const [documents, setDocuments] = useState<Signed[]>([]);
  const { title, text, name } = tables[table];
  const run = useMutation({
    mutationFn: () => readTable(whose, { asOf: as_of, only }, table),
    onSuccess: (found) => {
      setDocuments(found);
      found.forEach(({ bytes }, index) => {
        download(new Blob([bytes], { type: "text/csv" }), `${name}${part(index)}.csv`);
      });
    },
    onError: tellProblem,
  });
  const first = (
    <Button
      size="xs"
      variant="default"
      loading={run.isPending}
      leftSection={<IconDownload size={14} aria-hidden="true" />}
      aria-label={said.downloadOf(said.downloadCsv, `${name}.csv`)}
      onClick={() => run.mutate()}
    >
      {said.downloadCsv}
    </Button>
  );
  return (
    <Item
      title={title}
      text={`${text} ${said.readNow}`}
      action={documents.length === 0 ? first : null}
    >
      {documents.map((signed, index) => (
        <Group key={signed.digest} justify="space-between" align="flex-start" gap="sm" mt="xs">
          <SignedFacts signed={signed} />
          <Save
            label={said.downloadCsv}
            signed={signed}
            name={`${name}${part(index)}`}
            type="text/csv"
          />
        </Group>
      ))}
    </Item>
  );
}

/** What one needs besides to verify: the keys, and the script. */
function Tools() {
  const client = useQueryClient();
  const keys = useMutation({
    mutationFn: () => client.ensureQueryData(signatureKeysQuery),
    onSuccess: (bytes) =>
      download(new Blob([bytes], { type: "application/jwk-set+json" }), "signature-keys.json"),
    onError: tellProblem,
  });
  return (
    <Group gap="xs" mt="md">
      <Button
        size="xs"
        variant="default"
        loading={keys.isPending}
        leftSection={<IconKey size={14} aria-hidden="true" />}
        aria-label={said.downloadOf(said.keys, "signature-keys.json")}
        onClick={() => keys.mutate()}
      >
        {said.keys}
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconFileCode size={14} aria-hidden="true" />}
        onClick={() => download(new Blob([verify.script], { type: "text/x-sh" }), "verify.sh")}
      >
        {said.script}
      </Button>
    </Group>
  );
}
