/**
 * The link that proves an address: the present one, or one that takes its place. It works for the
 * account that asked for it alone, so one signs in first; the code stays in memory meanwhile.
 */
import { Button, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, take } from "../../api/client";
import { forgetLinkToken, useLinkToken } from "../../api/link-token";
import { keys } from "../../api/queries";
import { ProblemAlert } from "../../parts/confirm";
import { tell } from "../../parts/notify";
import { Page, Section } from "../../parts/page";
import { useMe } from "../../parts/permissions";
import { Empty } from "../../parts/states";
import { words } from "../../words";

const said = words.email;

export function VerifyEmailPage() {
  return <EmailLink title={said.linkTitle} purpose="verification" action={said.confirm} />;
}

export function ChangeEmailPage() {
  return <EmailLink title={said.changeLinkTitle} purpose="change" action={said.confirmChange} />;
}

interface EmailLinkProps {
  title: string;
  purpose: "verification" | "change";
  action: string;
}

function EmailLink({ title, purpose, action }: EmailLinkProps) {
  const token = useLinkToken();
  const { account } = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const complete = useMutation({
    mutationFn: async (token: string) => {
      const done = await take(
        purpose === "change"
          ? api.POST("/v1/me/email/change/complete", { body: { token } })
          : api.POST("/v1/me/email/verification/complete", { body: { token } }),
      );
      await client.invalidateQueries({ queryKey: keys.me });
      tell(purpose === "change" ? said.changed(done.email) : said.confirmed);
      await navigate({ to: "/account" });
      forgetLinkToken();
    },
  });
  return (
    <Page title={title} purpose={said.linkPurpose}>
      <Section title={action}>
        {token ? (
          <Stack gap="md" align="flex-start">
            <Text>{said.confirmText(account.email)}</Text>
            {complete.error ? <ProblemAlert error={complete.error} /> : null}
            <Button loading={complete.isPending} onClick={() => complete.mutate(token)}>
              {action}
            </Button>
          </Stack>
        ) : (
          <Empty title={said.noTokenTitle} text={said.noTokenText} />
        )}
      </Section>
    </Page>
  );
}
