/** Sign-in with e-mail and password. Afterwards to where the person wanted to go. */
import { Alert, Anchor, Button, Divider, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api, take } from "../../api/client";
import { offerPasskeys, passkeysHere, signInWithPasskey } from "../../api/passkeys";
import { Problem } from "../../api/problem";
import { setupQuery, signUpOptionsQuery } from "../../api/queries";
import type { SecondFactorChallenge } from "../../api/types";
import { check, useProblems } from "../../parts/forms";
import { Gate } from "../../parts/gate";
import { PasskeyButton } from "../../parts/passkey";
import { CurrentPassword } from "../../parts/password";
import { safeReturn } from "../../parts/search";
import { SecondFactorStep } from "../../parts/second-factor";
import { useEnter } from "../../parts/session";
import { words } from "../../words";

const said = words.gate.signIn;
const route = getRouteApi("/sign-in");

export default function SignInPage() {
  const { return: target } = route.useSearch();
  const setup = useQuery(setupQuery);
  const options = useQuery(signUpOptionsQuery());
  const [asked, setAsked] = useState<SecondFactorChallenge | null>(null);
  const enter = useEnter();
  const goal = safeReturn(target);
  const open = options.data !== undefined && options.data.mode !== "invitation_only";
  if (asked) {
    return (
      <Gate title={words.secondFactor.stepTitle}>
        <SecondFactorStep
          challenge={asked}
          onDone={() => enter(goal)}
          onOver={() => setAsked(null)}
        />
      </Gate>
    );
  }
  return (
    <Gate title={said.title} footer={open ? <SignUp /> : said.noAccount}>
      {setup.data?.required ? (
        <Alert color="yellow" title={said.setupTitle}>
          {said.setupText}
        </Alert>
      ) : null}
      <SignInForm target={goal} onAsked={setAsked} />
      {passkeysHere() ? <ByPasskey target={goal} /> : null}
    </Gate>
  );
}

function SignUp() {
  return (
    <Anchor component={Link} to="/sign-up" inherit>
      {said.signUp}
    </Anchor>
  );
}

/** Without a password; where the browser can, the passkeys that there are stand where the address is typed. */
function ByPasskey({ target }: { target: string }) {
  const enter = useEnter();
  const [offered, setOffered] = useState(true);
  const goOn = useRef(() => enter(target));
  goOn.current = () => enter(target);
  useEffect(
    () =>
      offerPasskeys({
        onDone: () => void goOn.current(),
        onNone: () => setOffered(false),
      }),
    [],
  );
  if (!offered) return null;
  return (
    <Stack gap="md" mt="md">
      <Divider label={words.passkeys.or} />
      <PasskeyButton
        label={words.passkeys.signIn}
        ask={() => signInWithPasskey("dialog")}
        onDone={() => enter(target)}
      />
    </Stack>
  );
}

interface FormProps {
  target: string;
  onAsked: (challenge: SecondFactorChallenge) => void;
}

function SignInForm({ target, onAsked }: FormProps) {
  const enter = useEnter();
  const form = useForm({
    initialValues: { email: "", password: "" },
    validate: { email: check.email, password: (value) => (value ? null : said.required) },
  });
  const problems = useProblems(form);
  const { problem } = problems;
  const locked =
    problem instanceof Problem && problem.code === "too_many_requests" ? problem : null;
  const signIn = useMutation({
    mutationFn: async (values: typeof form.values) => {
      const entered = await take(
        api.POST("/v1/sessions", {
          body: { ...values, email: values.email.trim(), token_delivery: "cookie" },
        }),
      );
      if ("methods" in entered) onAsked(entered);
      else await enter(target);
    },
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => signIn.mutateAsync(values)))}
    >
      <Stack gap="md">
        <TextInput
          label={said.email}
          type="email"
          autoComplete="username webauthn"
          required
          autoFocus
          {...form.getInputProps("email")}
        />
        <CurrentPassword label={said.password} {...form.getInputProps("password")} />
        {locked ? (
          <Alert color="yellow" variant="light" title={said.lockedTitle} role="alert">
            <Text>{said.lockedText}</Text>
            {locked.retryAfter === null ? null : (
              <Text fw={550}>{words.problems.retryIn(locked.retryAfter)}</Text>
            )}
          </Alert>
        ) : (
          problems.alert
        )}
        <Button type="submit" loading={signIn.isPending} fullWidth>
          {said.submit}
        </Button>
        <Anchor component={Link} to="/forgot-password" size="sm" ta="center">
          {said.forgot}
        </Anchor>
      </Stack>
    </form>
  );
}
