/** How the viewer is told of this organisation's alerts. */
import { Button, Group, Modal, Select, Stack, Switch, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { alertPreferencesQuery } from "../../api/alerts";
import { api, take } from "../../api/client";
import type { AlertPreferences } from "../../api/types";
import { ProblemAlert } from "../../parts/confirm";
import { choicesOf } from "../../parts/filters";
import { tell } from "../../parts/notify";
import { useOrganization } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";

const said = words.alerts;

export function MailDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title={<strong>{said.mailTitle}</strong>} size={480}>
      <Preferences onClose={onClose} />
    </Modal>
  );
}

function Preferences({ onClose }: { onClose: () => void }) {
  const organization = useOrganization();
  const query = useQuery(alertPreferencesQuery(organization.id));
  if (query.isPending) return <Loading rows={3} />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  return <MailForm initial={query.data} onClose={onClose} />;
}

function MailForm({ initial, onClose }: { initial: AlertPreferences; onClose: () => void }) {
  const organization = useOrganization();
  const client = useQueryClient();
  const [wanted, setWanted] = useState(initial);
  const { digest, minimum_severity, critical_at_once } = wanted;
  const body = { digest, minimum_severity, critical_at_once };
  const save = useMutation({
    mutationFn: () => take(api.PUT("/v1/me/alert-preferences", { body })),
    onSuccess: (saved) => {
      client.setQueryData(alertPreferencesQuery(organization.id).queryKey, saved);
      tell(said.mailSaved);
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          {said.mailText(organization.name)}
        </Text>
        <Switch
          label={said.atOnce}
          checked={wanted.critical_at_once}
          onChange={(event) =>
            setWanted({ ...wanted, critical_at_once: event.currentTarget.checked })
          }
        />
        <Select
          label={said.digest}
          description={said.digestHint}
          data={choicesOf(said.digests)}
          value={wanted.digest}
          onChange={(next) =>
            setWanted({ ...wanted, digest: (next ?? "off") as AlertPreferences["digest"] })
          }
          allowDeselect={false}
        />
        <Select
          label={said.minimum}
          description={said.minimumHint}
          data={choicesOf(words.audit.severities)}
          value={wanted.minimum_severity}
          onChange={(next) =>
            setWanted({
              ...wanted,
              minimum_severity: (next ?? "high") as AlertPreferences["minimum_severity"],
            })
          }
          allowDeselect={false}
          disabled={wanted.digest === "off"}
        />
        {save.error ? <ProblemAlert error={save.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {words.common.cancel}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {words.common.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
