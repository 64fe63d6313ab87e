/** One's own profile in the organisation that one works in. */
import { useQuery } from "@tanstack/react-query";
import { api, ifMatch, take } from "../../api/client";
import { myProfileQuery } from "../../api/queries";
import type { MemberProfile, MyOrganization, ProfileChanges } from "../../api/types";
import { Section } from "../../parts/page";
import { useMe } from "../../parts/permissions";
import { ProfileForm } from "../../parts/profile/form";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";

const said = words.profile;

export function MyProfile() {
  const me = useMe();
  // Who acts in an organisation is none of its members.
  const here = me.organizations.find(({ id }) => id === me.organization?.id);
  return here && me.member_id ? <InOrganization organization={here} /> : null;
}

function InOrganization({ organization }: { organization: MyOrganization }) {
  const query = useQuery(myProfileQuery(organization.id));
  // Nothing is declared in most organisations: then there is nothing to say.
  if (query.data?.fields.length === 0) return null;
  return (
    <Section title={said.titleIn(organization.name)} text={said.text}>
      {query.isPending ? <Loading rows={3} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.data ? <ProfileForm profile={query.data} save={save} /> : null}
    </Section>
  );
}

function save(body: ProfileChanges, { version }: MemberProfile) {
  const params = { header: { "If-Match": ifMatch(version) } };
  return take(api.PATCH("/v1/me/attributes", { body, params }));
}
