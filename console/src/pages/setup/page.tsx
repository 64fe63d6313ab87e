/** First run: the setup link's holder becomes the first platform admin. */
import { Alert, Button, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, take } from "../../api/client";
import { forgetLinkToken, useLinkToken } from "../../api/link-token";
import { Problem } from "../../api/problem";
import { setupQuery } from "../../api/queries";
import { check, isEmail, useProblems } from "../../parts/forms";
import { Gate } from "../../parts/gate";
import { judgeByLink, NewPassword, passwordComplete } from "../../parts/password";
import { useEnter } from "../../parts/session";
import { words } from "../../words";

const said = words.gate.setup;

export default function SetupPage() {
  const token = useLinkToken();
  if (!token) {
    return (
      <Gate title={said.noTokenTitle} text={said.noTokenText}>
        <Button component={Link} to="/sign-in" variant="default">
          {said.toSignIn}
        </Button>
      </Gate>
    );
  }
  return (
    <Gate title={said.title} text={said.text}>
      <SetupForm token={token} />
    </Gate>
  );
}

function SetupForm({ token }: { token: string }) {
  const enter = useEnter();
  const rules = useQuery(setupQuery).data?.password_rules;
  const form = useForm({
    initialValues: { name: "", email: "", password: "" },
    validate: {
      name: check.required,
      email: check.email,
      password: (value, all) =>
        passwordComplete(value, { ...all, rules }) ? null : words.gate.password.incomplete,
    },
  });
  const problems = useProblems(form);
  const create = useMutation({
    mutationFn: async (values: typeof form.values) => {
      const body = { ...values, token, token_delivery: "cookie" as const };
      await take(api.POST("/v1/setup", { body }));
      forgetLinkToken();
      await enter("/");
    },
  });
  const refused = problems.problem instanceof Problem ? problems.problem : null;
  const tokenRefused =
    refused?.faults.some(({ field }) => field === "token") ||
    refused?.code === "setup_not_available";

  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => create.mutateAsync(values)))}
    >
      <Stack gap="md">
        <TextInput
          label={said.name}
          autoComplete="name"
          required
          data-autofocus
          {...form.getInputProps("name")}
        />
        <TextInput
          label={said.email}
          type="email"
          autoComplete="username"
          required
          {...form.getInputProps("email")}
        />
        <NewPassword
          label={said.password}
          person={{ ...form.values, rules }}
          current={form.values.password}
          judge={judgeByLink(
            token,
            form.values.name,
            isEmail(form.values.email) ? form.values.email.trim() : undefined,
          )}
          {...form.getInputProps("password")}
        />
        {tokenRefused ? (
          <Alert color="red" title={said.invalid} role="alert">
            {said.invalidText}
          </Alert>
        ) : (
          problems.alert
        )}
        <Button type="submit" loading={create.isPending} fullWidth>
          {said.submit}
        </Button>
      </Stack>
    </form>
  );
}
