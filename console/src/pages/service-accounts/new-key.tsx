/** The dialog that makes a key, and then shows it: once, with a button that copies it. */
import {
  Alert,
  Button,
  Code,
  CopyButton,
  Group,
  Modal,
  Select,
  Stack,
  TagsInput,
  Text,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconAlertTriangle, IconCheck, IconCopy } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { ServiceAccount } from "../../api/types";
import { choicesOf } from "../../parts/filters";
import { check, useProblems } from "../../parts/forms";
import { words } from "../../words";
import classes from "./keys.module.css";

const said = words.serviceAccounts.key;
const day = 86_400_000;

interface Values extends Record<string, unknown> {
  name: string;
  days: string;
  allowed_networks: string[];
}

interface CreateKeyProps {
  account: ServiceAccount;
  onClose: () => void;
}

export function CreateKeyDialog({ account, onClose }: CreateKeyProps) {
  const [secret, setSecret] = useState<string | null>(null);
  const shown = secret !== null;
  return (
    <Modal
      opened
      onClose={onClose}
      // A key that is shown once must not go by a slip of the hand.
      closeOnClickOutside={!shown}
      closeOnEscape={!shown}
      withCloseButton={!shown}
      title={<strong>{shown ? said.once : said.createTitle(account.name)}</strong>}
      size={520}
    >
      {shown ? (
        <Secret value={secret} onClose={onClose} />
      ) : (
        <KeyForm account={account} onClose={onClose} onMade={setSecret} />
      )}
    </Modal>
  );
}

function KeyForm({ account, onClose, onMade }: CreateKeyProps & { onMade: (key: string) => void }) {
  const client = useQueryClient();
  const form = useForm<Values>({
    initialValues: { name: "", days: "90", allowed_networks: [] },
    validate: { name: check.required },
  });
  const problems = useProblems(form);
  const create = useMutation({
    mutationFn: ({ name, days, allowed_networks }: Values) =>
      take(
        api.POST("/v1/organizations/{organization_id}/service-accounts/{service_account_id}/keys", {
          body: {
            name: name.trim(),
            ...(days === "never"
              ? {}
              : { expires_at: new Date(Date.now() + Number(days) * day).toISOString() }),
            ...(allowed_networks.length > 0 ? { allowed_networks } : {}),
          },
          params: {
            path: { organization_id: account.organization_id, service_account_id: account.id },
          },
        }),
      ),
    onSuccess: ({ key }) => onMade(key),
    onSettled: () =>
      client.invalidateQueries({ queryKey: keys.serviceAccounts(account.organization_id) }),
  });
  const submit = async (values: Values) => {
    await create.mutateAsync(values);
  };
  return (
    <form noValidate onSubmit={form.onSubmit((values) => problems.wrap(() => submit(values)))}>
      <Stack gap="md">
        <TextInput
          label={said.name}
          description={said.nameHint}
          autoComplete="off"
          maxLength={100}
          required
          data-autofocus
          {...form.getInputProps("name")}
        />
        <Select
          label={said.expires}
          data={choicesOf(said.expiresIn)}
          allowDeselect={false}
          {...form.getInputProps("days")}
        />
        <TagsInput
          label={said.networks}
          description={said.networksHint}
          maxTags={20}
          {...form.getInputProps("allowed_networks")}
        />
        {problems.alert}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {words.common.cancel}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {said.create}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Secret({ value, onClose }: { value: string; onClose: () => void }) {
  return (
    <Stack gap="md">
      <Alert
        color="yellow"
        icon={<IconAlertTriangle size={18} aria-hidden="true" />}
        title={said.onceTitle}
      >
        {said.onceText}
      </Alert>
      <Text ff="monospace" size="sm" className={classes.secret}>
        {value}
      </Text>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button
            data-autofocus
            onClick={copy}
            leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
          >
            {copied ? said.copied : said.copy}
          </Button>
        )}
      </CopyButton>
      <div>
        <Text size="sm" c="dimmed">
          {said.use}
        </Text>
        <Code>Authorization: Bearer fhk_…</Code>
      </div>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {said.done}
        </Button>
      </Group>
    </Stack>
  );
}
