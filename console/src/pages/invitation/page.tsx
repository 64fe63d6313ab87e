/**
 * Accepting an invitation: as a new account, as an existing one that signs in, or by one click
 * when already signed in as the invited person.
 */
import { Button, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { useLinkToken } from "../../api/link-token";
import { maybeMeQuery } from "../../api/queries";
import type { InvitationPreview } from "../../api/types";
import { Field, Fields } from "../../parts/details";
import { Gate } from "../../parts/gate";
import { roleName } from "../../parts/permissions";
import { explain, Loading, RequestId } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { AcceptSignedIn, AcceptSignedOut, SignedInAsOther } from "./accept";

const said = words.gate.invitation;

export default function InvitationPage() {
  const token = useLinkToken();
  if (!token) {
    return (
      <Gate title={said.noTokenTitle} text={said.noTokenText}>
        {null}
      </Gate>
    );
  }
  return <Invited key={token} token={token} />;
}

function Invited({ token }: { token: string }) {
  const preview = useQuery({
    // The token is a secret: the cache key must not hold it.
    queryKey: ["invitation-preview"],
    queryFn: () => take(api.POST("/v1/invitations/lookup", { body: { token } })),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const me = useQuery(maybeMeQuery);

  if (preview.isError)
    return <Refused error={preview.error} retry={() => void preview.refetch()} />;
  if (preview.isPending || me.isPending) {
    return (
      <Gate title={said.loading}>
        <Loading rows={3} />
      </Gate>
    );
  }
  const invitation = preview.data;
  const account = me.data?.account;
  const same = account?.email.toLowerCase() === invitation.email.toLowerCase();
  return (
    <Gate title={said.title(invitation.organization_name)} text={summary(invitation)}>
      <Fields>
        <Field name={said.forAddress}>{invitation.email}</Field>
        {invitation.teams.length > 0 ? (
          <Field name={said.teams}>{invitation.teams.join(", ")}</Field>
        ) : null}
        <Field name={said.until}>
          <Time value={invitation.expires_at} />
        </Field>
      </Fields>
      {account && same ? (
        <AcceptSignedIn token={token} name={account.name} invitation={invitation} />
      ) : null}
      {account && !same ? (
        <SignedInAsOther email={account.email} invited={invitation.email} />
      ) : null}
      {account ? null : <AcceptSignedOut token={token} invitation={invitation} />}
    </Gate>
  );
}

function summary({ invited_by_name, role }: InvitationPreview): string {
  return invited_by_name ? said.by(invited_by_name, roleName(role)) : said.plain(roleName(role));
}

function Refused({ error, retry }: { error: unknown; retry: () => void }) {
  const { title, text } = explain(error);
  return (
    <Gate title={title} text={text}>
      <Stack gap="sm">
        <RequestId error={error} />
        <Button variant="default" onClick={retry}>
          {words.common.retry}
        </Button>
      </Stack>
    </Gate>
  );
}
