/** What may be done: each operation with what the guard says to each role. On a phone a list per role. */
import { Select, Text, VisuallyHidden } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconListSearch } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { PolicyDocument, Whose } from "../../api/policies";
import type { PolicyOperation, PolicyRole } from "../../api/types";
import { PlainBadge } from "../../parts/badges";
import { CopyId } from "../../parts/details";
import { Fact, Facts } from "../../parts/facts";
import { ChoiceFilter, choicesOf, FilterBar, TextFilter, useFilter } from "../../parts/filters";
import { Panel } from "../../parts/panel";
import { roleName, useMe } from "../../parts/permissions";
import { Empty } from "../../parts/states";
import { rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { Decision } from "./decision";
import { OperationDetails } from "./operation";
import {
  byResource,
  decisionOf,
  inOrder,
  operationTitle,
  type Resource,
  wanted,
  within,
} from "./operations";
import classes from "./policies.module.css";
import { usePolicySearch } from "./search";

const said = words.policies.matrix;

/** Where tables become lists, as in every list of the console. */
const phone = "(max-width: 48em)";

interface MatrixProps {
  whose: Whose;
  documents: PolicyDocument[];
}

export function Matrix({ whose, documents }: MatrixProps) {
  const me = useMe();
  const search = usePolicySearch();
  const onPhone = useMediaQuery(phone, false, { getInitialValueInEffect: false });
  const policy = documents[0]?.policy;
  if (!policy) return null;
  const inTenant = whose !== null && me.organization?.kind === "tenant";
  const roles = inOrder(policy.roles, inTenant);
  const asked = search.scope === "platform" || search.scope === "all";
  const here = within(policy.operations, inTenant && !asked);
  // One role fits a phone: one's own, until another is chosen.
  const role = search.role ?? (onPhone ? (me.effective_roles[0] ?? roles[0]?.name) : undefined);
  const shown = wanted(here, search, role);
  const groups = byResource(shown);
  const left = policy.operations.length - here.length;
  return (
    <>
      <Panel>
        <Revision documents={documents} />
      </Panel>
      <div className={classes.sheet}>
        <MatrixFilters operations={here} roles={roles} inTenant={inTenant} onPhone={onPhone} />
        <Text size="xs" c="dimmed" className={classes.counted} role="status">
          {said.counted(shown.length, here.length)}
          {left > 0 ? ` · ${said.left(left)}` : null}
        </Text>
        {shown.length === 0 ? (
          <Empty
            icon={<IconListSearch size={22} stroke={1.6} />}
            title={words.common.noMatchTitle}
            text={words.common.noMatchText}
          />
        ) : onPhone && role ? (
          <List groups={groups} role={role} />
        ) : (
          <Table groups={groups} roles={roles} all={here} inTenant={inTenant} />
        )}
      </div>
      <OperationDetails documents={documents} roles={roles} own={whose !== null} />
    </>
  );
}

function Revision({ documents }: { documents: PolicyDocument[] }) {
  const policy = documents[0]?.policy;
  if (!policy) return null;
  const { revision } = policy;
  const facts = words.policies.facts;
  return (
    <Facts note={facts.note}>
      <Fact name={facts.revision}>{revision.number}</Fact>
      <Fact name={facts.since}>
        <Time value={revision.since} />
      </Fact>
      <Fact name={facts.release}>{revision.release}</Fact>
      <Fact name={facts.history}>
        <Time value={policy.history_since} />
      </Fact>
      <Fact name={facts.digest}>
        <CopyId value={revision.sha256} label={facts.digest} />
      </Fact>
    </Facts>
  );
}

interface FiltersProps {
  operations: PolicyOperation[];
  roles: PolicyRole[];
  inTenant: boolean;
  onPhone: boolean;
}

function MatrixFilters({ operations, roles, inTenant, onPhone }: FiltersProps) {
  const search = usePolicySearch();
  const names = ["search", "resource", "scope", "role", "decision"] as const;
  const { platform, ...here } = words.policies.scopes;
  const scopes = {
    ...here,
    platform: platform ?? "",
    ...(inTenant ? { all: said.allScopes } : {}),
  };
  return (
    <FilterBar active={names.filter((name) => search[name])}>
      <TextFilter name="search" value={search.search} label={said.search} />
      <ChoiceFilter
        name="resource"
        value={search.resource}
        label={said.resource}
        any={said.anyResource}
        choices={byResource(operations).map(({ key, name }) => ({ value: key, label: name }))}
        searchable
        width={180}
      />
      <ChoiceFilter
        name="scope"
        value={search.scope}
        label={said.scope}
        any={inTenant ? said.here : said.anyScope}
        choices={choicesOf(scopes)}
        width={200}
      />
      {onPhone ? (
        <OneRole roles={roles} />
      ) : (
        <ChoiceFilter
          name="role"
          value={search.role}
          label={said.role}
          any={said.anyRole}
          choices={roles.map(({ name }) => ({ value: name, label: roleName(name) }))}
          width={150}
        />
      )}
      {search.role || onPhone ? (
        <ChoiceFilter
          name="decision"
          value={search.decision}
          label={said.decision}
          any={said.choices.may}
          choices={choicesOf({ own: said.choices.own, deny: said.choices.deny })}
          width={140}
        />
      ) : null}
    </FilterBar>
  );
}

function OneRole({ roles }: { roles: PolicyRole[] }) {
  const me = useMe();
  const filter = useFilter();
  const { role } = usePolicySearch();
  return (
    <Select
      aria-label={said.roleOf}
      allowDeselect={false}
      className={classes.oneRole}
      data={roles.map(({ name }) => ({ value: name, label: roleName(name) }))}
      value={role ?? me.effective_roles[0] ?? null}
      onChange={(next) => filter({ role: next ?? undefined })}
    />
  );
}

interface TableProps {
  groups: Resource[];
  roles: PolicyRole[];
  /** All that is here, for how many of it a role may do. */
  all: PolicyOperation[];
  inTenant: boolean;
}

function Table({ groups, roles, all, inTenant }: TableProps) {
  const { role: chosen } = usePolicySearch();
  return (
    <table className={classes.matrix}>
      <caption>
        <VisuallyHidden>{said.caption}</VisuallyHidden>
      </caption>
      <thead>
        <tr>
          <th scope="col">{said.operation}</th>
          {roles.map(({ name, scope }) => (
            <th key={name} scope="col" data-chosen={name === chosen || undefined}>
              {roleName(name)}
              <span className={classes.may}>
                {inTenant && scope === "platform"
                  ? said.onlyActing
                  : said.mayCount(all.filter((one) => decisionOf(one, name) !== "deny").length)}
              </span>
            </th>
          ))}
        </tr>
      </thead>
      {groups.map(({ key, name, operations }) => (
        <tbody key={key}>
          <tr className={classes.group}>
            <th scope="rowgroup" colSpan={roles.length + 1}>
              {name} <span className={classes.groupCount}>{operations.length}</span>
            </th>
          </tr>
          {operations.map((operation) => (
            <tr key={operation.operation} className={classes.row}>
              <th scope="row">
                <OperationLink operation={operation} />
              </th>
              {roles.map((role) => (
                <td key={role.name} data-chosen={role.name === chosen || undefined}>
                  <Decision decision={decisionOf(operation, role.name)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      ))}
    </table>
  );
}

function OperationLink({ operation }: { operation: PolicyOperation }) {
  const { operation: id, reauthentication } = operation;
  return (
    <>
      <Link
        to="."
        search={(now: Record<string, unknown>) => ({ ...now, open: id })}
        className={rowLink}
      >
        {operationTitle(id)}
      </Link>
      <div className={classes.operationId}>
        <Text span size="xs" c="dimmed" ff="monospace">
          {id}
        </Text>
        {reauthentication === "required" ? <PlainBadge>{said.proof}</PlainBadge> : null}
      </div>
    </>
  );
}

function List({ groups, role }: { groups: Resource[]; role: string }) {
  return (
    <div className={classes.list}>
      {groups.map(({ key, name, operations }) => (
        <section key={key} aria-label={said.group(name, operations.length)}>
          <h2 className={classes.listHead}>
            {name} <span className={classes.groupCount}>{operations.length}</span>
          </h2>
          <ul>
            {operations.map((operation) => (
              <li key={operation.operation} className={`${classes.row} ${classes.entry}`}>
                <div>
                  <OperationLink operation={operation} />
                </div>
                <Decision decision={decisionOf(operation, role)} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
