/** A person's codes by e-mail, the weak second factor: switching them on and off. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { keys } from "../../api/queries";
import { secondFactorsQuery } from "../../api/second-factors";
import { Confirm } from "../../parts/confirm";
import { tell } from "../../parts/notify";
import { Section } from "../../parts/page";
import { useMe } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { SwitchOnEmailCodes } from "../../parts/switch-on-email-codes";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.emailCodes;

export function MyEmailCodes() {
  const { account, second_factor } = useMe();
  const own = useQuery(secondFactorsQuery);
  return (
    <Section title={said.title} text={said.text(account.email)}>
      {own.isPending ? <Loading rows={1} /> : null}
      {own.isError ? <Failed error={own.error} retry={() => void own.refetch()} /> : null}
      {own.data ? (
        <Stack gap="md">
          {own.data.email_codes_since ? (
            <On since={own.data.email_codes_since} />
          ) : (
            <SwitchOnEmailCodes />
          )}
          <Text size="sm" c="dimmed">
            {second_factor.email_codes_count ? said.weak : `${said.weak} ${said.doNotCount}`}
          </Text>
        </Stack>
      ) : null}
    </Section>
  );
}

function On({ since }: { since: string }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => take(api.DELETE("/v1/me/second-factors/email-codes")),
    onSuccess: () => {
      tell(said.removed);
      setAsking(false);
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.me }),
  });
  return (
    <Group justify="space-between">
      <Text>
        {said.on} {said.since} <Time value={since} form="date" />
      </Text>
      <Button variant="light" color="red" onClick={() => setAsking(true)}>
        {said.remove}
      </Button>
      {asking ? (
        <Confirm
          opened
          onClose={() => setAsking(false)}
          title={said.removeTitle}
          effects={said.removeEffects}
          action={said.remove}
          onConfirm={() => remove.mutate()}
          busy={remove.isPending}
          error={remove.error}
        />
      ) : null}
    </Group>
  );
}
