/** Second: what will happen, and the button that begins it. The server asks who one is. */
import { Button, Group, List, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, take } from "../../api/client";
import { useIdempotent } from "../../api/idempotency";
import { keyRotationPreviewQuery, keys } from "../../api/queries";
import { ProblemAlert } from "../../parts/confirm";
import { useOpen } from "../../parts/filters";
import { tell } from "../../parts/notify";
import { GuardedButton, useWhyNot } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";

const said = words.keys.wizard;

function useStart(scope: string) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const idempotent = useIdempotent();
  return useMutation({
    mutationFn: () =>
      idempotent(scope, (key) =>
        take(
          api.POST("/v1/key-rotations", {
            body: { scope },
            params: { header: { "Idempotency-Key": key } },
          }),
        ),
      ),
    onSuccess: async ({ id }) => {
      tell(said.started(words.keys.scopeName(scope)));
      // In the place of the question: the way back does not lead to asking it again.
      await navigate({
        to: ".",
        search: (now: Record<string, unknown>) => ({
          ...now,
          rotate: undefined,
          step: undefined,
          rotation: id,
        }),
        replace: true,
      });
    },
    // Also after a refusal: somebody else may have begun.
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: [...keys.keyRotations, "list"] }),
        client.invalidateQueries({ queryKey: [...keys.dataKeys, "list"] }),
        client.invalidateQueries({ queryKey: keys.jobs }),
      ]),
  });
}

export function ConfirmStep({ scope }: { scope: string }) {
  const open = useOpen();
  const reason = useWhyNot("key_rotations_create");
  const query = useQuery(keyRotationPreviewQuery(scope));
  const start = useStart(scope);
  if (query.isPending) return <Loading rows={4} />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  const { from_version, values } = query.data;
  return (
    <Stack gap="md">
      <List size="sm" spacing={6}>
        {said.effects(from_version, values).map((effect) => (
          <List.Item key={effect}>{effect}</List.Item>
        ))}
      </List>
      <Text size="xs" c="dimmed">
        {said.proof}
      </Text>
      {start.error ? <ProblemAlert error={start.error} /> : null}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={() => open({ step: undefined })}>
          {said.back}
        </Button>
        <GuardedButton reason={reason} loading={start.isPending} onClick={() => start.mutate()}>
          {said.start}
        </GuardedButton>
      </Group>
    </Stack>
  );
}
