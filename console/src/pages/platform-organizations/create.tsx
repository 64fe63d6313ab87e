/** The dialog that creates an organisation. */
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { useIdempotent } from "../../api/idempotency";
import { keys } from "../../api/queries";
import { check, useProblems } from "../../parts/forms";
import { tell } from "../../parts/notify";
import { words } from "../../words";

const said = words.platform.organizations;

interface CreateDialogProps {
  opened: boolean;
  onClose: () => void;
}

export function CreateDialog({ opened, onClose }: CreateDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={<strong>{said.createTitle}</strong>} size={460}>
      <CreateForm onClose={onClose} />
    </Modal>
  );
}

function CreateForm({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const idempotent = useIdempotent();
  const form = useForm({
    initialValues: { name: "", slug: "" },
    validate: { name: check.required },
  });
  const problems = useProblems(form, { slug_taken: "slug" });
  const create = useMutation({
    mutationFn: async ({ name, slug }: typeof form.values) => {
      const body = { name: name.trim(), slug: slug.trim() || undefined };
      await idempotent(body, (key) =>
        take(
          api.POST("/v1/organizations", { body, params: { header: { "Idempotency-Key": key } } }),
        ),
      );
      tell(said.created(body.name));
      onClose();
      // The creator is its owner: it is one of their organisations now.
      await Promise.all([
        client.invalidateQueries({ queryKey: keys.me }),
        client.invalidateQueries({ queryKey: keys.organizations }),
      ]);
    },
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => create.mutateAsync(values)))}
    >
      <Stack gap="md">
        <Text>{said.createText}</Text>
        <TextInput
          label={said.name}
          autoComplete="off"
          required
          data-autofocus
          {...form.getInputProps("name")}
        />
        <TextInput
          label={said.slug}
          description={said.slugHint}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          {...form.getInputProps("slug")}
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
