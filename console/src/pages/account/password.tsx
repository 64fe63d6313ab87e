/** A person's own password: since when it is theirs, and choosing another. */
import { Button, Group, Stack, Text, VisuallyHidden } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { keys, passwordQuery } from "../../api/queries";
import type { OwnPassword } from "../../api/types";
import { useProblems } from "../../parts/forms";
import { tell } from "../../parts/notify";
import { Section } from "../../parts/page";
import { CurrentPassword, judgeOwn, NewPassword, passwordComplete } from "../../parts/password";
import { useMe } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.account.password;

export function MyPassword() {
  const own = useQuery(passwordQuery);
  return (
    <Section title={said.title} text={said.text}>
      {own.isPending ? <Loading rows={3} /> : null}
      {own.isError ? <Failed error={own.error} retry={() => void own.refetch()} /> : null}
      {own.data && !own.data.changed_at ? <Text c="dimmed">{said.none}</Text> : null}
      {own.data?.changed_at ? <PasswordForm own={own.data} /> : null}
    </Section>
  );
}

function PasswordForm({ own }: { own: OwnPassword }) {
  const { account } = useMe();
  const client = useQueryClient();
  const person = { name: account.name, email: account.email, rules: own.rules };
  const form = useForm({
    initialValues: { current_password: "", password: "" },
    validate: {
      current_password: (value) => (value ? null : words.gate.signIn.required),
      password: (value) =>
        passwordComplete(value, person) ? null : words.gate.password.incomplete,
    },
  });
  const problems = useProblems(form, { wrong_password: "current_password" });
  const change = useMutation({
    mutationFn: async (body: typeof form.values) => {
      await take(api.PUT("/v1/me/password", { body }));
      form.reset();
      tell(said.changed);
      // The other sessions have ended, and this one has a fresh proof.
      await client.invalidateQueries({ queryKey: keys.me });
    },
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => change.mutateAsync(values)))}
    >
      <Stack gap="md" maw={520}>
        <Text size="sm" c="dimmed">
          {said.since} <Time value={own.changed_at} form="date" />
        </Text>
        <VisuallyHidden>
          <input
            type="text"
            name="username"
            autoComplete="username"
            value={account.email}
            readOnly
            tabIndex={-1}
            aria-hidden="true"
          />
        </VisuallyHidden>
        <CurrentPassword
          label={said.current}
          maxLength={256}
          {...form.getInputProps("current_password")}
        />
        <NewPassword
          label={said.new}
          description={own.rules.history > 1 ? said.history(own.rules.history) : undefined}
          person={person}
          current={form.values.password}
          judge={judgeOwn}
          {...form.getInputProps("password")}
        />
        {problems.alert}
        <Group>
          <Button type="submit" loading={change.isPending} disabled={!form.isDirty()}>
            {said.submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
