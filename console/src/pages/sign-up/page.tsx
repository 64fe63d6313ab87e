/**
 * Signing up: an address, and then a letter. The name and the password are chosen by whoever opens
 * its link, so that nobody chooses them for somebody else.
 */
import { Anchor, Button, List, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, take } from "../../api/client";
import { signUpOptionsQuery } from "../../api/queries";
import type { SignUpOptions } from "../../api/types";
import { ProblemAlert } from "../../parts/confirm";
import { check, useProblems } from "../../parts/forms";
import { Gate } from "../../parts/gate";
import { tell } from "../../parts/notify";
import { explain, Loading, RequestId } from "../../parts/states";
import { words } from "../../words";

const said = words.signUp;
const route = getRouteApi("/sign-up");

function send(email: string, organization: string | undefined) {
  return take(
    api.POST("/v1/sign-ups", { body: organization ? { email, organization } : { email } }),
  );
}

export default function SignUpPage() {
  const { organization } = route.useSearch();
  const options = useQuery(signUpOptionsQuery(organization));
  const [sentTo, setSentTo] = useState<string | null>(null);
  if (options.isPending) {
    return (
      <Gate title={said.loading}>
        <Loading rows={3} />
      </Gate>
    );
  }
  if (options.isError) {
    const { title, text } = explain(options.error);
    return (
      <Gate title={title} text={text}>
        <Stack gap="sm">
          <RequestId error={options.error} />
          <Button variant="default" onClick={() => void options.refetch()}>
            {words.common.retry}
          </Button>
        </Stack>
      </Gate>
    );
  }
  if (options.data.mode === "invitation_only") {
    return (
      <Gate title={said.closedTitle} text={said.closedText}>
        <Button component={Link} to="/sign-in" variant="default">
          {words.gate.setup.toSignIn}
        </Button>
      </Gate>
    );
  }
  if (sentTo) {
    return <Sent email={sentTo} organization={organization} onOther={() => setSentTo(null)} />;
  }
  return <Ask options={options.data} organization={organization} onSent={setSentTo} />;
}

interface AskProps {
  options: SignUpOptions;
  organization: string | undefined;
  onSent: (email: string) => void;
}

function Ask({ options, organization, onSent }: AskProps) {
  const { mode, domains, organization_name: name } = options;
  const form = useForm({ initialValues: { email: "" }, validate: { email: check.email } });
  const problems = useProblems(form, { domain_not_allowed: "email" });
  const start = useMutation({
    mutationFn: async ({ email }: typeof form.values) => {
      await send(email.trim(), organization);
      onSent(email.trim());
    },
  });
  return (
    <Gate
      title={name ? said.titleAt(name) : said.title}
      text={mode === "approval_required" ? said.approvalText : said.text}
      footer={
        <Anchor component={Link} to="/sign-in" inherit>
          {said.toSignIn}
        </Anchor>
      }
    >
      <form
        noValidate
        onSubmit={form.onSubmit((values) => problems.wrap(() => start.mutateAsync(values)))}
      >
        <Stack gap="md">
          <TextInput
            label={said.email}
            description={domains ? said.domains(domains.join(", ")) : undefined}
            type="email"
            autoComplete="email"
            required
            autoFocus
            {...form.getInputProps("email")}
          />
          {problems.alert}
          <Button type="submit" loading={start.isPending} fullWidth>
            {said.submit}
          </Button>
        </Stack>
      </form>
    </Gate>
  );
}

interface SentProps {
  email: string;
  organization: string | undefined;
  onOther: () => void;
}

function Sent({ email, organization, onOther }: SentProps) {
  const again = useMutation({
    mutationFn: () => send(email, organization),
    onSuccess: () => tell(said.resent),
  });
  return (
    <Gate title={said.sentTitle} text={said.sentText(email)}>
      <Stack gap="md">
        <List size="sm" spacing={6}>
          {said.sentHints.map((hint) => (
            <List.Item key={hint}>
              <Text inherit>{hint}</Text>
            </List.Item>
          ))}
        </List>
        {again.error ? <ProblemAlert error={again.error} /> : null}
        <Button variant="default" loading={again.isPending} onClick={() => again.mutate()}>
          {said.resend}
        </Button>
        <Button variant="subtle" onClick={onOther}>
          {said.again}
        </Button>
      </Stack>
    </Gate>
  );
}
