/** The dialog that places a hold. */
import { Button, Group, Modal, Select, Stack, Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { useIdempotent } from "../../api/idempotency";
import { keys, tenantsQuery } from "../../api/queries";
import { check, useProblems } from "../../parts/forms";
import { tell } from "../../parts/notify";
import { words } from "../../words";

const said = words.holds;

interface PlaceDialogProps {
  opened: boolean;
  onClose: () => void;
}

export function PlaceDialog({ opened, onClose }: PlaceDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={<strong>{said.placeTitle}</strong>} size={460}>
      <PlaceForm onClose={onClose} />
    </Modal>
  );
}

function PlaceForm({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const idempotent = useIdempotent();
  const tenants = useQuery(tenantsQuery);
  const form = useForm({
    initialValues: { organization_id: "", reason: "" },
    validate: { organization_id: check.required, reason: check.required },
  });
  const problems = useProblems(form, { already_held: "organization_id" });
  const place = useMutation({
    mutationFn: async ({ organization_id, reason }: typeof form.values) => {
      const body = { organization_id, reason: reason.trim() };
      await idempotent(body, (key) =>
        take(api.POST("/v1/legal-holds", { body, params: { header: { "Idempotency-Key": key } } })),
      );
      tell(said.placedDone);
      onClose();
      await client.invalidateQueries({ queryKey: keys.legalHolds });
    },
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => place.mutateAsync(values)))}
    >
      <Stack gap="md">
        <Text>{said.placeText}</Text>
        <Select
          label={said.organization}
          placeholder={said.choose}
          data={(tenants.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
          searchable
          required
          data-autofocus
          {...form.getInputProps("organization_id")}
        />
        <Textarea
          label={said.reason}
          description={said.reasonHint}
          maxLength={500}
          autosize
          minRows={2}
          required
          {...form.getInputProps("reason")}
        />
        {problems.alert}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {words.common.cancel}
          </Button>
          <Button type="submit" loading={place.isPending}>
            {said.place}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
