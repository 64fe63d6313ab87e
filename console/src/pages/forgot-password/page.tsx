/** Asking for a link to a new password. It says the same whether or not there is an account. */
import { Button, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, take } from "../../api/client";
import { check, useProblems } from "../../parts/forms";
import { Gate } from "../../parts/gate";
import { words } from "../../words";

const said = words.gate.forgot;

export default function ForgotPasswordPage() {
  const [asked, setAsked] = useState<string | null>(null);
  if (asked !== null) {
    return (
      <Gate title={said.askedTitle} text={<span role="status">{said.askedText(asked)}</span>}>
        <Stack gap="sm">
          <Button component={Link} to="/sign-in">
            {said.toSignIn}
          </Button>
          <Button variant="subtle" color="gray" onClick={() => setAsked(null)}>
            {said.again}
          </Button>
        </Stack>
      </Gate>
    );
  }
  return (
    <Gate title={said.title} text={said.text}>
      <AskForm onAsked={setAsked} />
    </Gate>
  );
}

function AskForm({ onAsked }: { onAsked: (email: string) => void }) {
  const form = useForm({ initialValues: { email: "" }, validate: { email: check.email } });
  const problems = useProblems(form);
  const ask = useMutation({
    mutationFn: async (values: typeof form.values) => {
      const email = values.email.trim();
      await take(api.POST("/v1/password-resets", { body: { email } }));
      onAsked(email);
    },
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => ask.mutateAsync(values)))}
    >
      <Stack gap="md">
        <TextInput
          label={words.gate.signIn.email}
          type="email"
          autoComplete="username"
          required
          autoFocus
          {...form.getInputProps("email")}
        />
        {problems.alert}
        <Button type="submit" loading={ask.isPending} fullWidth>
          {said.submit}
        </Button>
        <Button component={Link} to="/sign-in" variant="subtle" color="gray" fullWidth>
          {said.back}
        </Button>
      </Stack>
    </form>
  );
}
