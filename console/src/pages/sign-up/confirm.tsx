/** The link of a sign-up: whoever opens it says who they are, and is in or waits. */
import { Button, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, take } from "../../api/client";
import { forgetLinkToken, useLinkToken } from "../../api/link-token";
import type { SecondFactorChallenge, SignUpPreview } from "../../api/types";
import { Field, Fields } from "../../parts/details";
import { check, useProblems } from "../../parts/forms";
import { Gate } from "../../parts/gate";
import { tell } from "../../parts/notify";
import { CurrentPassword, judgeByLink, NewPassword, passwordComplete } from "../../parts/password";
import { SecondFactorStep } from "../../parts/second-factor";
import { useEnter } from "../../parts/session";
import { explain, Loading, RequestId } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.signUp.confirm;

export default function ConfirmSignUpPage() {
  const token = useLinkToken();
  const [waiting, setWaiting] = useState<string | null>(null);
  if (waiting) {
    return (
      <Gate title={said.waitingTitle} text={said.waitingText(waiting)}>
        {null}
      </Gate>
    );
  }
  if (!token) {
    return (
      <Gate title={said.noTokenTitle} text={said.noTokenText}>
        {null}
      </Gate>
    );
  }
  return <Opened key={token} token={token} onWaiting={setWaiting} />;
}

interface OpenedProps {
  token: string;
  onWaiting: (email: string) => void;
}

function Opened({ token, onWaiting }: OpenedProps) {
  const preview = useQuery({
    // The token is a secret: the cache key must not hold it.
    queryKey: ["sign-up-preview"],
    queryFn: () => take(api.POST("/v1/sign-ups/lookup", { body: { token } })),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (preview.isError) {
    const { title, text } = explain(preview.error);
    return (
      <Gate title={title} text={text}>
        <Stack gap="sm">
          <RequestId error={preview.error} />
          <Button variant="default" onClick={() => void preview.refetch()}>
            {words.common.retry}
          </Button>
        </Stack>
      </Gate>
    );
  }
  if (preview.isPending) {
    return (
      <Gate title={said.loading}>
        <Loading rows={3} />
      </Gate>
    );
  }
  const { organization_name: name, approval_required: approval } = preview.data;
  const text = preview.data.account_exists ? said.existingText : said.text;
  return (
    <Gate
      title={name ? said.titleAt(name) : said.title}
      text={approval ? `${text} ${said.approval}` : text}
    >
      <Fields>
        <Field name={said.forAddress}>{preview.data.email}</Field>
        <Field name={said.until}>
          <Time value={preview.data.expires_at} />
        </Field>
      </Fields>
      <Form token={token} preview={preview.data} onWaiting={onWaiting} />
    </Gate>
  );
}

function submitText({ approval_required, account_exists, organization_name }: SignUpPreview) {
  if (approval_required) return said.submitApproval;
  if (account_exists) return said.submitExisting;
  return organization_name ? said.submitJoin : said.submit;
}

function Form({ token, preview, onWaiting }: OpenedProps & { preview: SignUpPreview }) {
  const { email, account_exists: existing, password_rules: rules } = preview;
  const enter = useEnter();
  const form = useForm({
    initialValues: { name: "", password: "" },
    validate: {
      name: (value) => (existing ? null : check.required(value)),
      password: (value, { name }) => {
        if (existing) return value ? null : words.gate.signIn.required;
        const complete = passwordComplete(value, { name, email, rules });
        return complete ? null : words.gate.password.incomplete;
      },
    },
  });
  const problems = useProblems(form);
  const [asked, setAsked] = useState<SecondFactorChallenge | null>(null);
  const navigate = useNavigate();
  const verify = useMutation({
    mutationFn: async ({ name, password }: typeof form.values) => {
      const delivery = { token, password, token_delivery: "cookie" as const };
      const body = existing ? delivery : { ...delivery, name: name.trim() };
      const entered = await take(api.POST("/v1/sign-ups/verify", { body }));
      forgetLinkToken();
      if (!entered) {
        onWaiting(email);
        return;
      }
      if ("methods" in entered) {
        setAsked(entered);
        return;
      }
      await welcome();
    },
  });
  const welcome = async () => {
    await enter("/");
    const organization = preview.organization_name;
    tell(organization ? said.welcomeAt(organization) : said.welcome);
  };
  if (asked) {
    // The link is used up: whoever starts over signs in.
    const over = () => void navigate({ to: "/sign-in" });
    return <SecondFactorStep challenge={asked} onDone={welcome} onOver={over} />;
  }
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => verify.mutateAsync(values)))}
    >
      <Stack gap="md">
        {/* Lets password managers file the password under the right account. */}
        <input type="hidden" name="username" autoComplete="username" value={email} readOnly />
        {existing ? (
          <CurrentPassword
            label={words.gate.invitation.existingPassword}
            {...form.getInputProps("password")}
          />
        ) : (
          <>
            <TextInput
              label={words.gate.invitation.name}
              autoComplete="name"
              required
              {...form.getInputProps("name")}
            />
            <NewPassword
              label={words.gate.invitation.password}
              person={{ name: form.values.name, email, rules }}
              current={form.values.password}
              judge={judgeByLink(token, form.values.name)}
              {...form.getInputProps("password")}
            />
          </>
        )}
        {problems.alert}
        <Button type="submit" loading={verify.isPending} fullWidth>
          {submitText(preview)}
        </Button>
      </Stack>
    </form>
  );
}
