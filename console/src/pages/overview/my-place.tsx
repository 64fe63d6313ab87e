/** The overview for people who see only their own: their role, and the way to their account. */
import { Button, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { memberQuery } from "../../api/queries";
import { RolesOf, Teams } from "../../parts/badges";
import { CustomRoles } from "../../parts/custom-roles";
import { Field, Fields } from "../../parts/details";
import { Section } from "../../parts/page";
import { useMe, useOrganization } from "../../parts/permissions";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.overview;

export function MyPlace() {
  const me = useMe();
  const organization = useOrganization();
  const member = useQuery({
    ...memberQuery(organization.id, me.member_id ?? ""),
    enabled: Boolean(me.member_id),
  });
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
      <Section title={organization.name}>
        <Fields>
          {me.role ? (
            <Field name={said.roleHere}>
              <div>
                <RolesOf role={me.role} effective={me.effective_roles} />
                <Text size="xs" c="dimmed" mt={4}>
                  {words.roles.short[me.effective_roles[0] ?? me.role]}
                </Text>
              </div>
            </Field>
          ) : null}
          {me.custom_roles.length > 0 ? (
            <Field name={words.customRoles.select}>
              <CustomRoles roles={me.custom_roles} />
            </Field>
          ) : null}
          {me.teams.length > 0 ? (
            <Field name={said.teams}>
              <Teams teams={me.teams} />
            </Field>
          ) : null}
          <Field name={said.joined}>
            <Time value={member.data?.joined_at} form="date" />
          </Field>
        </Fields>
      </Section>
      <Section title={said.profile}>
        <Stack gap="md" align="flex-start">
          <Text c="dimmed">{said.profileText}</Text>
          <Button component={Link} to="/account" variant="default">
            {said.openProfile}
          </Button>
        </Stack>
      </Section>
    </SimpleGrid>
  );
}
