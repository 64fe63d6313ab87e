/**
 * The links of letters about a lost second factor: the one that completes a recovery and the one that
 * stops it, neither of which takes a session; and the one that proves a recovery address, which does.
 */
import { Button, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, take } from "../../api/client";
import { forgetLinkToken, useLinkToken } from "../../api/link-token";
import { Problem } from "../../api/problem";
import { keys } from "../../api/queries";
import { recoveryAddressQuery } from "../../api/recovery";
import { ProblemAlert } from "../../parts/confirm";
import { Gate } from "../../parts/gate";
import { tell } from "../../parts/notify";
import { Page, Section } from "../../parts/page";
import { useMe } from "../../parts/permissions";
import { Empty } from "../../parts/states";
import { words } from "../../words";

const said = words.recovery;

export function CompletePage() {
  const token = useLinkToken();
  const client = useQueryClient();
  const complete = useMutation({
    mutationFn: async (token: string) => {
      await take(api.POST("/v1/recoveries/complete", { body: { token } }));
      // Whoever was signed in here is so no more.
      client.removeQueries({ queryKey: keys.me });
    },
    onSuccess: forgetLinkToken,
  });
  if (complete.isSuccess) {
    return (
      <Gate title={said.doneTitle} text={<span role="status">{said.doneText}</span>}>
        <Button component={Link} to="/sign-in">
          {said.toSignIn}
        </Button>
      </Gate>
    );
  }
  if (!token) return <NoToken />;
  return (
    <Gate title={said.completeTitle} text={said.completeText}>
      <Stack gap="md">
        {complete.error ? <ProblemAlert error={complete.error} /> : null}
        {gone(complete.error) ? (
          <ToSignIn />
        ) : (
          <Button loading={complete.isPending} onClick={() => complete.mutate(token)}>
            {said.complete}
          </Button>
        )}
      </Stack>
    </Gate>
  );
}

export function StopPage() {
  const token = useLinkToken();
  const stop = useMutation({
    mutationFn: (token: string) => take(api.POST("/v1/recoveries/stop", { body: { token } })),
    onSuccess: forgetLinkToken,
  });
  if (stop.isSuccess) {
    return (
      <Gate title={said.stopDoneTitle} text={<span role="status">{said.stopDoneText}</span>}>
        <Stack gap="sm">
          <Button component={Link} to="/forgot-password">
            {said.newPassword}
          </Button>
          <ToSignIn />
        </Stack>
      </Gate>
    );
  }
  if (!token) return <NoToken />;
  return (
    <Gate title={said.stopTitle} text={said.stopText}>
      <Stack gap="md">
        {stop.error ? <ProblemAlert error={stop.error} /> : null}
        {gone(stop.error) ? (
          <ToSignIn />
        ) : (
          <Button color="red.7" loading={stop.isPending} onClick={() => stop.mutate(token)}>
            {said.stop}
          </Button>
        )}
      </Stack>
    </Gate>
  );
}

export function RecoveryAddressPage() {
  const token = useLinkToken();
  const { account } = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const verify = useMutation({
    mutationFn: async (token: string) => {
      const state = await take(api.POST("/v1/me/recovery-address/verify", { body: { token } }));
      client.setQueryData(recoveryAddressQuery.queryKey, state);
      tell(said.linkDone);
      await navigate({ to: "/account" });
      forgetLinkToken();
    },
  });
  return (
    <Page title={said.linkTitle} purpose={said.linkPurpose}>
      <Section title={said.linkAction}>
        {token ? (
          <Stack gap="md" align="flex-start">
            <Text>{said.linkText(account.email)}</Text>
            {verify.error ? <ProblemAlert error={verify.error} /> : null}
            <Button loading={verify.isPending} onClick={() => verify.mutate(token)}>
              {said.linkAction}
            </Button>
          </Stack>
        ) : (
          <Empty title={said.noTokenTitle} text={said.noTokenText} />
        )}
      </Section>
    </Page>
  );
}

function gone(error: unknown): boolean {
  return error instanceof Problem && error.status === 404;
}

function NoToken() {
  return (
    <Gate title={said.noTokenTitle} text={said.noTokenText}>
      <ToSignIn />
    </Gate>
  );
}

function ToSignIn() {
  return (
    <Button component={Link} to="/sign-in" variant="default">
      {said.toSignIn}
    </Button>
  );
}
