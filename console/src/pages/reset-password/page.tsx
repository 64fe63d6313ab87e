/** Choosing a new password with the link of a mail. It signs nobody in. */
import { Button, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, take } from "../../api/client";
import { forgetLinkToken, useLinkToken } from "../../api/link-token";
import { Problem } from "../../api/problem";
import { keys } from "../../api/queries";
import type { PasswordResetPreview } from "../../api/types";
import { Field, Fields } from "../../parts/details";
import { useProblems } from "../../parts/forms";
import { Gate } from "../../parts/gate";
import { judgeByLink, NewPassword, passwordComplete } from "../../parts/password";
import { explain, Loading, RequestId } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.gate.reset;

export default function ResetPasswordPage() {
  const token = useLinkToken();
  const [done, setDone] = useState(false);
  if (done) {
    return (
      <Gate title={said.doneTitle} text={<span role="status">{said.doneText}</span>}>
        <Button component={Link} to="/sign-in">
          {said.toSignIn}
        </Button>
      </Gate>
    );
  }
  if (!token) {
    return (
      <Gate title={words.gate.invitation.noTokenTitle} text={words.gate.invitation.noTokenText}>
        <AskAgain />
      </Gate>
    );
  }
  return <Resetting key={token} token={token} onDone={() => setDone(true)} />;
}

function AskAgain() {
  return (
    <Button component={Link} to="/forgot-password" variant="default">
      {said.askAgain}
    </Button>
  );
}

interface ResettingProps {
  token: string;
  onDone: () => void;
}

function Resetting({ token, onDone }: ResettingProps) {
  const preview = useQuery({
    // The token is a secret: the cache key must not hold it.
    queryKey: ["password-reset-preview"],
    queryFn: () => take(api.POST("/v1/password-resets/lookup", { body: { token } })),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (preview.isPending) {
    return (
      <Gate title={said.loading}>
        <Loading rows={3} />
      </Gate>
    );
  }
  if (preview.isError)
    return <Refused error={preview.error} retry={() => void preview.refetch()} />;
  return (
    <Gate title={said.title} text={said.text}>
      <Fields>
        <Field name={said.forAddress}>{preview.data.email}</Field>
        <Field name={said.until}>
          <Time value={preview.data.expires_at} />
        </Field>
      </Fields>
      <ResetForm token={token} preview={preview.data} onDone={onDone} />
    </Gate>
  );
}

function Refused({ error, retry }: { error: unknown; retry?: () => void }) {
  const { title, text } = explain(error);
  const gone = error instanceof Problem && error.status === 404;
  return (
    <Gate title={title} text={text}>
      <Stack gap="sm">
        <RequestId error={error} />
        {gone || !retry ? (
          <AskAgain />
        ) : (
          <Button variant="default" onClick={retry}>
            {words.common.retry}
          </Button>
        )}
      </Stack>
    </Gate>
  );
}

function ResetForm({ token, preview, onDone }: ResettingProps & { preview: PasswordResetPreview }) {
  const client = useQueryClient();
  const person = { email: preview.email, rules: preview.password_rules };
  const form = useForm({
    initialValues: { password: "" },
    validate: {
      password: (value) =>
        passwordComplete(value, person) ? null : words.gate.password.incomplete,
    },
  });
  const problems = useProblems(form);
  const complete = useMutation({
    mutationFn: async ({ password }: typeof form.values) => {
      await take(api.POST("/v1/password-resets/complete", { body: { token, password } }));
      onDone();
      forgetLinkToken();
      // Whoever was signed in here is so no more.
      client.removeQueries({ queryKey: keys.me });
    },
  });
  const { problem } = problems;
  if (problem instanceof Problem && problem.status === 404)
    return <GoneMeanwhile error={problem} />;
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => complete.mutateAsync(values)))}
    >
      <Stack gap="md">
        {/* Lets password managers file the password under the right account. */}
        <input
          type="hidden"
          name="username"
          autoComplete="username"
          value={preview.email}
          readOnly
        />
        <NewPassword
          label={said.password}
          person={person}
          current={form.values.password}
          judge={judgeByLink(token)}
          data-autofocus
          {...form.getInputProps("password")}
        />
        {problems.alert}
        <Button type="submit" loading={complete.isPending} fullWidth>
          {said.submit}
        </Button>
      </Stack>
    </form>
  );
}

/** The link's time ended, or it was used elsewhere, while the page was open. */
function GoneMeanwhile({ error }: { error: Problem }) {
  const { title, text } = explain(error);
  return (
    <Stack gap="sm" role="alert">
      <strong>{title}</strong>
      <span>{text}</span>
      <AskAgain />
    </Stack>
  );
}
