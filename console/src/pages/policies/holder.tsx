/** One holder: each role, where it comes from, since when and by whom. */
import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Whose } from "../../api/policies";
import type { PolicyHolder } from "../../api/types";
import { RoleBadge } from "../../parts/badges";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { useOpen } from "../../parts/filters";
import { allowed, useMe } from "../../parts/permissions";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { Actor } from "./actor";
import { useOrganizationNames } from "./exported";
import { actorNames, holderName, sourceOf } from "./people";
import classes from "./policies.module.css";
import { usePolicySearch } from "./search";
import { HolderStatus, LastSignIn, SecondFactors } from "./standing";

const said = words.policies.holders;

interface DetailsProps {
  whose: Whose;
  holders: PolicyHolder[];
}

export function HolderDetails({ whose, holders }: DetailsProps) {
  const { open: id } = usePolicySearch();
  const open = useOpen();
  const holder = holders.find((one) => one.id === id);
  return (
    <Details
      opened={holder !== undefined}
      onClose={() => open({ open: undefined })}
      title={holder ? holderName(holder) : ""}
      actions={holder ? <Acts whose={whose} holder={holder} /> : null}
      size={520}
    >
      {holder ? (
        <Stack gap="lg">
          <HolderFields whose={whose} holder={holder} />
          <Grants holder={holder} holders={holders} />
        </Stack>
      ) : null}
    </Details>
  );
}

function HolderFields({ whose, holder }: { whose: Whose; holder: PolicyHolder }) {
  const names = useOrganizationNames(whose);
  return (
    <Fields>
      <Field name={said.type}>{said.typeOf[holder.type] ?? holder.type}</Field>
      <Field name={said.status}>
        <HolderStatus status={holder.status} />
      </Field>
      {whose === null ? (
        <Field name={said.organization}>
          {names.get(holder.organization_id) ?? (
            <CopyId value={holder.organization_id} label={said.organization} />
          )}
        </Field>
      ) : null}
      {holder.email ? <Field name={words.members.email}>{holder.email}</Field> : null}
      <Field name={said.effective}>
        <Group gap={6}>
          {holder.effective_roles.map((role) => (
            <RoleBadge key={role} role={role} />
          ))}
        </Group>
      </Field>
      <Field name={said.lastSignIn}>
        <LastSignIn holder={holder} />
      </Field>
      <Field name={said.factor}>
        <SecondFactors holder={holder} />
      </Field>
      {holder.account_id ? (
        <Field name={said.account}>
          <CopyId value={holder.account_id} label={said.account} />
        </Field>
      ) : null}
      <Field name={said.id}>
        <CopyId value={holder.id} label={said.id} />
      </Field>
    </Fields>
  );
}

function Grants({ holder, holders }: { holder: PolicyHolder; holders: PolicyHolder[] }) {
  const nameOf = actorNames(holders);
  return (
    <section>
      <Title order={3} mb="xs">
        {said.grants}
      </Title>
      <ul className={classes.grants}>
        {holder.grants.map((grant) => (
          <li key={`${grant.via}-${grant.team_id ?? ""}`}>
            <Group gap="xs">
              <RoleBadge role={grant.role} />
              <Text span fw={550}>
                {sourceOf(grant)}
              </Text>
            </Group>
            <Text size="xs" c="dimmed" mt={4}>
              {grant.before_history ? (
                said.sinceBefore
              ) : (
                <>
                  {said.since} <Time value={grant.since} form="exact" />
                </>
              )}
            </Text>
            {grant.before_history ? null : (
              <Text size="xs" c="dimmed" component="div">
                {said.by} <Actor by={grant.by} name={nameOf(grant.by)} />
              </Text>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** From the present list it is one step to where something can be done about it. */
function Acts({ whose, holder }: { whose: Whose; holder: PolicyHolder }) {
  const me = useMe();
  const { as_of } = usePolicySearch();
  const here = whose !== null && me.organization?.id === holder.organization_id;
  if (!here || as_of || holder.type !== "person" || !allowed(me, "members_list")) return null;
  return (
    <Button
      renderRoot={(props) => (
        <Link
          {...props}
          to="/o/$organization/members"
          params={{ organization: me.organization?.slug ?? "" }}
          search={{ open: holder.id }}
        />
      )}
      size="xs"
      variant="default"
    >
      {said.members}
    </Button>
  );
}
