/** What the organisation's own attributes say of a member. */
import { Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ifMatch, take } from "../../api/client";
import { memberProfileQuery } from "../../api/queries";
import type { Member, MemberProfile, ProfileChanges } from "../../api/types";
import { useWhyNot } from "../../parts/permissions";
import { ProfileForm } from "../../parts/profile/form";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";

const said = words.profile;

export function Profile({ member }: { member: Member }) {
  const forbidden = useWhyNot("member_attributes_get");
  const query = useQuery({
    ...memberProfileQuery(member.organization_id, member.id),
    enabled: forbidden === null,
  });
  if (forbidden || query.data?.fields.length === 0) return null;
  return (
    <section aria-label={said.title}>
      <Title order={3} mb="sm">
        {said.title}
      </Title>
      {query.isPending ? <Loading rows={3} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.data ? <ProfileForm profile={query.data} save={save} /> : null}
    </section>
  );
}

function save(body: ProfileChanges, { organization_id, member_id, version }: MemberProfile) {
  return take(
    api.PATCH("/v1/organizations/{organization_id}/members/{member_id}/attributes", {
      body,
      params: {
        path: { organization_id, member_id },
        header: { "If-Match": ifMatch(version) },
      },
    }),
  );
}
