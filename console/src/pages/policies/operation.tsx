/** One operation: how it is called, what it asks for, what it leaves in the record, and who may do it. */
import { Anchor, Code, Group, Stack, Text, Title } from "@mantine/core";
import { IconHelpCircle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { type OperationId, operations } from "../../api/operations.gen";
import type { PolicyDocument } from "../../api/policies";
import type { PolicyOperation, PolicyRole } from "../../api/types";
import { RoleBadge } from "../../parts/badges";
import { ExplainDialog } from "../../parts/decisions/explain-dialog";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { useOpen } from "../../parts/filters";
import { GuardedButton, roleName, useWhyNot } from "../../parts/permissions";
import { words } from "../../words";
import { Decision } from "./decision";
import { decisionOf, operationTitle } from "./operations";
import classes from "./policies.module.css";
import { usePolicySearch } from "./search";

const said = words.policies.operation;

interface DetailsProps {
  documents: PolicyDocument[];
  roles: PolicyRole[];
  /** Whether it is of the organisation that one is in, whose people's decisions can be explained. */
  own: boolean;
}

export function OperationDetails({ documents, roles, own }: DetailsProps) {
  const { open: id } = usePolicySearch();
  const open = useOpen();
  const found = documents[0]?.policy.operations.find(({ operation }) => operation === id);
  return (
    <Details
      opened={id !== undefined}
      onClose={() => open({ open: undefined })}
      title={id ? operationTitle(id) : ""}
      size={540}
    >
      {found ? (
        <Stack gap="lg">
          <OperationFields operation={found} />
          <Deciders operation={found} roles={roles} documents={documents} own={own} />
        </Stack>
      ) : (
        <Text>{said.gone}</Text>
      )}
    </Details>
  );
}

function OperationFields({ operation }: { operation: PolicyOperation }) {
  const { scope, reauthentication, mfa, limit, audit_event, sensitive, protocol } = operation;
  return (
    <Fields>
      <Field name={said.id}>
        <CopyId value={operation.operation} label={said.id} />
      </Field>
      <Field name={said.request}>
        <Code fz="xs" className="machine-text">
          {operation.method} {operation.path}
        </Code>
      </Field>
      <Field name={said.scope}>
        {words.policies.scopes[scope] ?? scope}
        <Text size="xs" c="dimmed">
          {words.policies.scopesLong[scope]}
        </Text>
      </Field>
      <Field name={said.resource}>
        <Code fz="xs">{operation.resource}</Code>
      </Field>
      <Field name={said.action}>
        <Code fz="xs">{operation.action}</Code>
      </Field>
      <Field name={said.minimumRole}>{leastRole(operation)}</Field>
      <Field name={said.ownership}>{ownership(operation)}</Field>
      <Field name={said.reauthentication}>
        {said.reauthentications[reauthentication] ?? reauthentication}
      </Field>
      <Field name={said.mfa}>{said.mfas[mfa] ?? mfa}</Field>
      <Field name={said.limit}>{limit ? (said.limits[limit] ?? limit) : words.common.none}</Field>
      <Field name={said.event}>
        {audit_event ? <Code fz="xs">{audit_event}</Code> : <Text c="dimmed">{said.noEvent}</Text>}
      </Field>
      <Field name={said.sensitive}>{said.sensitives[sensitive] ?? sensitive}</Field>
      {protocol ? <Field name={said.protocol}>{protocol}</Field> : null}
    </Fields>
  );
}

function leastRole({ minimum_role, scope }: PolicyOperation) {
  if (minimum_role) return <RoleBadge role={minimum_role} />;
  return scope === "public" ? said.everybody : said.signedIn;
}

function ownership({ ownership: what, own_role, scope }: PolicyOperation): string {
  if (what && own_role) return said.owned(what, roleName(own_role));
  return scope === "self" ? said.ownedSelf : said.noOwnership;
}

function Deciders({
  operation,
  roles,
  documents,
  own,
}: DetailsProps & { operation: PolicyOperation }) {
  const holders = documents.flatMap(({ policy }) => policy.holders);
  const count = (role: string) =>
    holders.filter(({ effective_roles }) => effective_roles.includes(role)).length;
  return (
    <section>
      <Group justify="space-between" mb="xs">
        <Title order={3}>{said.decisions}</Title>
        {own && isKnown(operation.operation) ? <Explain operation={operation.operation} /> : null}
      </Group>
      <ul className={classes.deciders}>
        {roles.map(({ name }) => (
          <li key={name}>
            <RoleBadge role={name} />
            <Decision decision={decisionOf(operation, name)} long />
            <Anchor
              renderRoot={(props) => (
                <Link
                  {...props}
                  to="."
                  search={({ as_of, only }: Record<string, unknown>) => ({
                    tab: "holders",
                    role: name,
                    as_of,
                    only,
                  })}
                />
              )}
              size="xs"
            >
              {said.holders(count(name))}
            </Anchor>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A past policy may have what this release does not know. */
function isKnown(operation: string): operation is OperationId {
  return operation in operations;
}

/** Why one person or program may or may not, now. */
function Explain({ operation }: { operation: OperationId }) {
  const reason = useWhyNot("rbac_explain");
  const [opened, setOpened] = useState(false);
  return (
    <>
      <GuardedButton
        size="compact-sm"
        variant="default"
        reason={reason}
        onClick={() => setOpened(true)}
        leftSection={<IconHelpCircle size={14} aria-hidden="true" />}
      >
        {said.explain}
      </GuardedButton>
      <ExplainDialog opened={opened} onClose={() => setOpened(false)} operation={operation} />
    </>
  );
}
