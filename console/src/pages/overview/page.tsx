/** The overview: numbers and recent activity from the same lists that the other pages show. */
import { SimpleGrid, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { auditQuery, invitationsQuery, membersQuery } from "../../api/queries";
import { Page } from "../../parts/page";
import { allowed, useMe, useOrganization } from "../../parts/permissions";
import { words } from "../../words";
import { Activity, activityDays, activityFrom, Recent } from "./activity";
import { Adoption } from "./adoption";
import { Figures } from "./figures";
import { MyPlace } from "./my-place";
import { RoleBars } from "./role-bars";
import { Steps } from "./steps";
import { MembersTile, PendingTile, RefusedTile } from "./tiles";

const said = words.overview;

/** One page of each list is enough here; when there is more, the numbers say so. */
const most = 200;

export default function OverviewPage() {
  const me = useMe();
  const organization = useOrganization();
  const seesPeople = allowed(me, "members_list");
  return (
    <Page
      title={said.title}
      place={organization.name}
      purpose={seesPeople ? said.purpose(organization.name) : said.memberPurpose(organization.name)}
    >
      {seesPeople ? <ForManagers /> : <MyPlace />}
    </Page>
  );
}

function ForManagers() {
  const me = useMe();
  const { id } = useOrganization();
  const seesInvitations = allowed(me, "invitations_list");
  const seesAudit = allowed(me, "audit_list");
  const members = useQuery(membersQuery(id, { limit: most }));
  const pending = useQuery({
    ...invitationsQuery(id, { status: "pending", limit: most }),
    enabled: seesInvitations,
  });
  const entries = useQuery({
    ...auditQuery(id, { from: activityFrom(), limit: most }),
    enabled: seesAudit,
  });
  return (
    <Stack gap="lg">
      <Steps members={members.data} pending={pending.data} />
      <SimpleGrid cols={{ base: 2, md: seesAudit ? 3 : 2 }} spacing="md">
        <MembersTile query={members} />
        {seesInvitations ? <PendingTile query={pending} /> : null}
        {seesAudit ? <RefusedTile query={entries} days={activityDays} /> : null}
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: seesAudit ? 2 : 1 }} spacing="lg">
        {seesAudit ? <Activity query={entries} /> : null}
        <RoleBars query={members} />
      </SimpleGrid>
      {allowed(me, "overview_get") ? <Figures /> : null}
      {allowed(me, "second_factor_adoption_get") ? <Adoption /> : null}
      {seesAudit ? <Recent query={entries} /> : null}
    </Stack>
  );
}
