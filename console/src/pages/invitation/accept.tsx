/** The three ways to accept. */
import { Alert, Button, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, take } from "../../api/client";
import { forgetLinkToken } from "../../api/link-token";
import { maybeMeQuery } from "../../api/queries";
import type { InvitationPreview, SecondFactorChallenge } from "../../api/types";
import { ProblemAlert } from "../../parts/confirm";
import { check, useProblems } from "../../parts/forms";
import { tell } from "../../parts/notify";
import { CurrentPassword, judgeByLink, NewPassword, passwordComplete } from "../../parts/password";
import { SecondFactorStep } from "../../parts/second-factor";
import { useEnter } from "../../parts/session";
import { words } from "../../words";

const said = words.gate.invitation;

interface AcceptProps {
  token: string;
  invitation: InvitationPreview;
}

function useJoined(invitation: InvitationPreview) {
  const enter = useEnter();
  return async () => {
    forgetLinkToken();
    await enter("/");
    tell(said.welcome(invitation.organization_name));
  };
}

/** Already signed in as the invited person: one click, then straight into the organisation. */
export function AcceptSignedIn({ token, invitation, name }: AcceptProps & { name: string }) {
  const joined = useJoined(invitation);
  const accept = useMutation({
    mutationFn: async () => {
      const member = await take(api.POST("/v1/me/invitations", { body: { token } }));
      await take(
        api.POST("/v1/session/organization", { body: { organization_id: member.organization_id } }),
      );
      await joined();
    },
  });
  return (
    <Stack gap="md">
      <Text>{said.oneClick(name)}</Text>
      {accept.error ? <ProblemAlert error={accept.error} /> : null}
      <Button onClick={() => accept.mutate()} loading={accept.isPending} fullWidth>
        {said.submitOneClick}
      </Button>
    </Stack>
  );
}

/** Signed in as somebody else: the link stays in memory while they sign out. */
export function SignedInAsOther({ email, invited }: { email: string; invited: string }) {
  const client = useQueryClient();
  const leave = useMutation({
    mutationFn: async () => {
      await take(api.DELETE("/v1/session"));
      await client.resetQueries({ queryKey: maybeMeQuery.queryKey });
    },
  });
  return (
    <Stack gap="md">
      <Alert color="yellow" title={said.otherTitle}>
        {said.other(email, invited)}
      </Alert>
      {leave.error ? <ProblemAlert error={leave.error} /> : null}
      <Button variant="default" onClick={() => leave.mutate()} loading={leave.isPending}>
        {said.signOutFirst}
      </Button>
    </Stack>
  );
}

/** Signed out: a new account chooses a password, an existing one proves its own. */
export function AcceptSignedOut({ token, invitation }: AcceptProps) {
  const joined = useJoined(invitation);
  const { account_exists: existing, password_rules: rules } = invitation;
  const form = useForm({
    initialValues: { name: "", password: "" },
    validate: {
      name: (value) => (existing ? null : check.required(value)),
      password: (value, { name }) => {
        if (existing) return value ? null : words.gate.signIn.required;
        const complete = passwordComplete(value, { name, email: invitation.email, rules });
        return complete ? null : words.gate.password.incomplete;
      },
    },
  });
  const problems = useProblems(form);
  const [asked, setAsked] = useState<SecondFactorChallenge | null>(null);
  const navigate = useNavigate();
  const accept = useMutation({
    mutationFn: async ({ name, password }: typeof form.values) => {
      const delivery = { token, password, token_delivery: "cookie" as const };
      const body = existing ? delivery : { ...delivery, name: name.trim() };
      const entered = await take(api.POST("/v1/invitations/accept", { body }));
      if ("methods" in entered) setAsked(entered);
      else await joined();
    },
  });
  if (asked) {
    // The invitation is used up: whoever starts over signs in.
    const over = () => void navigate({ to: "/sign-in" });
    return <SecondFactorStep challenge={asked} onDone={joined} onOver={over} />;
  }
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => accept.mutateAsync(values)))}
    >
      <Stack gap="md">
        <Text>{existing ? said.existingText : said.newText}</Text>
        {/* Lets password managers file the password under the right account. */}
        <input
          type="hidden"
          name="username"
          autoComplete="username"
          value={invitation.email}
          readOnly
        />
        {existing ? (
          <CurrentPassword label={said.existingPassword} {...form.getInputProps("password")} />
        ) : (
          <>
            <TextInput
              label={said.name}
              autoComplete="name"
              required
              {...form.getInputProps("name")}
            />
            <NewPassword
              label={said.password}
              person={{ name: form.values.name, email: invitation.email, rules }}
              current={form.values.password}
              judge={judgeByLink(token, form.values.name)}
              {...form.getInputProps("password")}
            />
          </>
        )}
        {problems.alert}
        <Button type="submit" loading={accept.isPending} fullWidth>
          {existing ? said.submitExisting : said.submitNew}
        </Button>
      </Stack>
    </form>
  );
}
