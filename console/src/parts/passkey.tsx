/** Passkeys: the button that asks for one, what went wrong with it, and the dialog that adds one. */
import { Alert, Button, Divider, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { IconFingerprint } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, take } from "../api/client";
import { makePasskey, PasskeyFailed } from "../api/passkeys";
import { keys } from "../api/queries";
import { words } from "../words";
import { ProblemAlert } from "./confirm";
import { deviceName } from "./device";
import { BackupCodes } from "./enrolment";
import { tell } from "./notify";

const said = words.passkeys;

/** What came of asking the authenticator, if it was nothing. */
export function PasskeyProblem({ error }: { error: unknown }) {
  if (!(error instanceof PasskeyFailed)) return error ? <ProblemAlert error={error} /> : null;
  return (
    <Alert color="yellow" variant="light" role="alert">
      {said.failures[error.why]}
    </Alert>
  );
}

interface ButtonProps {
  label: string;
  /** Asks for the passkey, and ends when it is proven. */
  ask: () => Promise<void>;
  /** What else there is, if anything: said between the two. */
  or?: string;
  onDone: () => Promise<void> | void;
}

/** Asks for a passkey; beside it, another way. */
export function PasskeyButton({ label, ask, or, onDone }: ButtonProps) {
  const proof = useMutation({
    mutationFn: async () => {
      await ask();
      await onDone();
    },
  });
  return (
    <Stack gap="md">
      <Button
        variant="default"
        fullWidth
        leftSection={<IconFingerprint size={18} stroke={1.6} aria-hidden="true" />}
        loading={proof.isPending}
        onClick={() => proof.mutate()}
        data-mantine-stop-propagation="true"
      >
        {label}
      </Button>
      <PasskeyProblem error={proof.error} />
      {or ? <Divider label={or} /> : null}
    </Stack>
  );
}

interface AddProps {
  onClose: () => void;
  /** It is added, and the codes that came with it are kept. */
  onDone: () => void;
}

/** Adds a passkey; with the first second factor come backup codes. */
export function AddPasskey({ onClose, onDone }: AddProps) {
  const client = useQueryClient();
  const [name, setName] = useState(deviceName(navigator.userAgent));
  const [fault, setFault] = useState<string | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const add = useMutation({
    mutationFn: async () => {
      const credential = await makePasskey();
      const body = { name: name.trim(), credential };
      return take(api.POST("/v1/me/passkeys", { body }));
    },
    onSuccess: async ({ backup_codes }) => {
      tell(said.added);
      if (backup_codes.length > 0) {
        setCodes(backup_codes);
        return;
      }
      await client.invalidateQueries({ queryKey: keys.me });
      onDone();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setFault(name.trim() ? null : said.nameRequired);
    if (name.trim() && !add.isPending) add.mutate();
  };
  return (
    <Modal
      opened
      onClose={codes ? onDone : onClose}
      title={<strong>{codes ? words.secondFactor.codes : said.addTitle}</strong>}
      closeButtonProps={{ "aria-label": words.common.close }}
      size={480}
    >
      {codes ? (
        <BackupCodes codes={codes} onDone={onDone} />
      ) : (
        <form noValidate onSubmit={submit}>
          <Stack gap="md">
            <Text size="sm">{said.addText}</Text>
            <TextInput
              label={said.name}
              description={said.nameHint}
              required
              maxLength={64}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              error={fault}
              data-autofocus
            />
            <PasskeyProblem error={add.error} />
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={onClose}>
                {words.common.cancel}
              </Button>
              <Button type="submit" loading={add.isPending}>
                {said.goOn}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
