/** Setting up an authenticator app: the key, a code that shows that it works, and the backup codes. */
import {
  Alert,
  Button,
  Code,
  CopyButton,
  Group,
  Paper,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { QRCodeSVG } from "qrcode.react";
import { type FormEvent, useState } from "react";
import { api, take } from "../api/client";
import { Problem } from "../api/problem";
import type { TotpEnrolment } from "../api/types";
import { words } from "../words";
import { ProblemAlert } from "./confirm";
import { download } from "./download";
import { useMe } from "./permissions";

const said = words.secondFactor;

interface EnrolmentProps {
  /** Whoever has kept the codes is through. */
  onDone: () => void;
}

export function Enrolment({ onDone }: EnrolmentProps) {
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const begin = useMutation({
    mutationFn: () => take(api.POST("/v1/me/second-factors/totp")),
  });
  if (codes) return <BackupCodes codes={codes} onDone={onDone} />;
  if (begin.data) {
    return <ConfirmApp enrolment={begin.data} onCodes={setCodes} onAgain={() => begin.mutate()} />;
  }
  const failed = begin.error instanceof Problem && begin.error.quiet ? null : begin.error;
  return (
    <Stack gap="md" align="flex-start">
      {failed ? <ProblemAlert error={failed} /> : null}
      <Button onClick={() => begin.mutate()} loading={begin.isPending}>
        {said.setUp}
      </Button>
    </Stack>
  );
}

interface ConfirmProps {
  enrolment: TotpEnrolment;
  onCodes: (codes: readonly string[]) => void;
  onAgain: () => void;
}

function ConfirmApp({ enrolment, onCodes, onAgain }: ConfirmProps) {
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: () =>
      take(api.POST("/v1/me/second-factors/totp/confirm", { body: { code: code.trim() } })),
    onSuccess: ({ codes }) => onCodes(codes),
    onError: () => setCode(""),
  });
  const refused = confirm.error instanceof Problem ? confirm.error.code : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() && !confirm.isPending) confirm.mutate();
  };
  if (refused === "not_found") {
    return (
      <Stack gap="md" align="flex-start">
        <Alert color="yellow" variant="light" title={said.expired} role="alert" />
        <Button onClick={onAgain}>{said.again}</Button>
      </Stack>
    );
  }
  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="md">
        <Text>{said.scan}</Text>
        <Paper withBorder p="md" bg="white" w="fit-content">
          <QRCodeSVG value={enrolment.uri} size={184} title={said.qr} marginSize={2} />
        </Paper>
        <div>
          <Text size="sm" fw={550}>
            {said.key}
          </Text>
          <Group gap="xs" mt={4}>
            <Code fz="sm">{enrolment.secret.replace(/(.{4})(?=.)/g, "$1 ")}</Code>
            <CopyButton value={enrolment.secret}>
              {({ copied, copy }) => (
                <Button size="compact-sm" variant="default" onClick={copy}>
                  {copied ? said.copied : said.copyKey}
                </Button>
              )}
            </CopyButton>
          </Group>
          <Text size="sm" c="dimmed">
            {said.keyHint}
          </Text>
        </div>
        <TextInput
          label={said.totp}
          description={said.confirmText}
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={32}
          required
          maw={280}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
          error={refused === "wrong_code" ? said.wrong : null}
        />
        {confirm.error && refused !== "wrong_code" ? <ProblemAlert error={confirm.error} /> : null}
        <Group>
          <Button type="submit" loading={confirm.isPending}>
            {said.confirm}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Backup codes, to be kept: they are never shown again. */
export function BackupCodes({ codes, onDone }: { codes: readonly string[] } & EnrolmentProps) {
  const { account } = useMe();
  const site = window.location.hostname;
  const keep = () => {
    const lines = [said.fileHead(site, account.email), "", ...codes, ""];
    download(new Blob([lines.join("\n")], { type: "text/plain" }), said.file(site));
  };
  return (
    <Stack gap="md">
      <Text fw={600}>{said.codesTitle}</Text>
      <Text>{said.codesText}</Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" role="list" aria-label={said.codesList}>
        {codes.map((code) => (
          <Code key={code} role="listitem" fz="sm" block>
            {code}
          </Code>
        ))}
      </SimpleGrid>
      <Group gap="xs">
        <Button variant="default" onClick={keep}>
          {said.downloadCodes}
        </Button>
        <Button variant="default" onClick={() => window.print()}>
          {said.printCodes}
        </Button>
        <Button onClick={onDone}>{said.done}</Button>
      </Group>
    </Stack>
  );
}
