/**
 * The dialog before an act that takes something away: says what will happen and to whom, and for
 * the gravest asks for a typed name.
 */
import { Alert, Button, Group, List, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { Problem } from "../api/problem";
import { words } from "../words";
import { explain, RequestId } from "./states";

interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  effects: readonly string[];
  /** The verb on the button: what is being done. */
  action: string;
  onConfirm: () => void;
  busy: boolean;
  error?: unknown;
  /** Text that must be typed first. */
  typed?: string;
  /** Not taking anything away: the button is not red. */
  harmless?: boolean;
  /** Further fields. */
  children?: ReactNode;
}

export function Confirm(props: ConfirmProps) {
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={<strong>{props.title}</strong>}
      size={480}
    >
      <ConfirmBody {...props} />
    </Modal>
  );
}

function ConfirmBody(props: ConfirmProps) {
  const { effects, action, onConfirm, onClose, busy, error, typed, harmless, children } = props;
  const [text, setText] = useState("");
  const ready = !typed || text.trim() === typed;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !busy) onConfirm();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <List size="sm" spacing={6}>
          {effects.map((effect) => (
            <List.Item key={effect}>{effect}</List.Item>
          ))}
        </List>
        {children}
        {typed ? (
          <TextInput
            label={words.common.typeToConfirm(typed)}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
        ) : null}
        {error ? <ProblemAlert error={error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {words.common.cancel}
          </Button>
          <Button
            type="submit"
            color={harmless ? undefined : "red.7"}
            loading={busy}
            disabled={!ready}
          >
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** A refusal, inside a dialog or form. */
export function ProblemAlert({ error, detail }: { error: unknown; detail?: string }) {
  if (error instanceof Problem && error.quiet) return null;
  const { title, text } = explain(error);
  return (
    <Alert color="red" variant="light" title={title} role="alert">
      <Stack gap={4}>
        <Text>{detail ?? text}</Text>
        <RequestId error={error} />
      </Stack>
    </Alert>
  );
}
