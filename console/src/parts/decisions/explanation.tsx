/** An explanation in words: how it comes out, by which rule and way, and what else there is to pass. */
import { Alert, Code, Group, Stack, Text } from "@mantine/core";
import { IconArrowRight, IconCircleCheck, IconCircleX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Explained } from "../../api/types";
import { words } from "../../words";
import { RoleBadge, Status } from "../badges";
import { roleName } from "../permissions";
import { Time } from "../time";
import classes from "./explanation.module.css";

const said = words.explainDecision;

export function Explanation({ of }: { of: Explained }) {
  const may = of.decision === "allowed";
  const who = of.who.name ?? said.somebody;
  const icon = may ? <IconCircleCheck size={20} /> : <IconCircleX size={20} />;
  return (
    <Stack gap="md" role="status">
      <Alert
        color={may ? undefined : "red"}
        variant="light"
        icon={icon}
        title={may ? said.allowed(who) : said.refused(who)}
      >
        <Stack gap={4}>
          <Text size="sm">
            <Code>{of.operation.operation}</Code>{" "}
            {of.code ? (of.title ? `${of.title}. ` : "") + said.answered(of.code) : null}
          </Text>
          {of.recorded ? (
            <Text size="sm">
              {said.recorded(of.recorded.code, of.recorded.count)} {said.recordedNow}
            </Text>
          ) : null}
        </Stack>
      </Alert>
      <Part title={said.because}>
        <Because of={of} />
      </Part>
      {of.granted_by ? (
        <Part title={said.way}>
          <Way by={of.granted_by} />
        </Part>
      ) : null}
      <Part title={said.holds}>
        <Holds of={of} />
      </Part>
      {may || of.roles_allowed.length === 0 ? null : (
        <Part title={said.allowedRoles}>
          <Group gap={6}>
            {of.roles_allowed.map((role) => (
              <RoleBadge key={role} role={role} />
            ))}
          </Group>
        </Part>
      )}
      <Gates of={of} />
      <Text size="xs" c="dimmed">
        {said.revision(of.revision.number)} · <Time value={of.revision.since} form="date" />
      </Text>
    </Stack>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <h3 className={classes.head}>{title}</h3>
      {children}
    </div>
  );
}

function Because({ of }: { of: Explained }) {
  const { scope, minimum_role, own_role } = of.operation;
  if (scope === "public") return <Text size="sm">{said.forAnybody}</Text>;
  if (!minimum_role) return <Text size="sm">{said.forEverybody}</Text>;
  const roles = of.effective_roles.map(roleName).join(", ");
  return (
    <Text size="sm">
      {said.minimumRole(roleName(minimum_role))}{" "}
      {own_role ? `${said.ownRole(roleName(own_role))} ` : null}
      {of.granted_by ? null : roles ? said.noneOf(roles) : said.nothing}
    </Text>
  );
}

function Way({ by: { rule, path } }: { by: NonNullable<Explained["granted_by"]> }) {
  if (rule === "custom_role") {
    return <Text size="sm">{said.byCustomRole(path[0]?.role ?? "")}</Text>;
  }
  return (
    <ol className={classes.way}>
      {path.map(({ role, link }) => (
        <li key={role}>
          {link ? (
            <Text span size="xs" c="dimmed" className={classes.link}>
              <IconArrowRight size={13} aria-hidden="true" />
              {link === "inherits" ? said.inherits : said.readsAs}
            </Text>
          ) : null}
          <RoleBadge role={role} />
        </li>
      ))}
    </ol>
  );
}

function Holds({ of }: { of: Explained }) {
  if (of.holds.length === 0) return <Text size="sm">{said.nothing}</Text>;
  return (
    <ul className={classes.list}>
      {of.holds.map(({ role, custom_role, custom_role_id, via, team, team_id, until }) => (
        <li key={`${via} ${team_id ?? ""} ${custom_role_id ?? ""}`}>
          {role ? <RoleBadge role={role} /> : <Text span>{custom_role ?? said.noRole}</Text>}{" "}
          <Text span size="sm">
            {via === "team"
              ? said.byTeam(team ?? "")
              : via === "acting"
                ? said.acting
                : said.direct}
            {until ? ", " : null}
            {until ? <Time value={until} form="exact" /> : null}
          </Text>
        </li>
      ))}
    </ul>
  );
}

type Gate = Explained["gates"][number];

const tones = { closed: "bad", open: "good", asks: "quiet" } as const;

function Gates({ of }: { of: Explained }) {
  const noKey =
    of.who.type === "service_account" && !of.gates.some(({ gate }) => gate === "api_key");
  if (of.gates.length === 0 && !noKey) return null;
  return (
    <Part title={said.gates}>
      <ul className={classes.list}>
        {of.gates.map((gate) => (
          <li key={`${gate.gate} ${gate.api_key_id ?? ""}`} className={classes.gate}>
            <Text span size="sm">
              {gateText(gate)}
            </Text>
            <Status tone={tones[gate.state]}>{said.states[gate.state]}</Status>
          </li>
        ))}
        {noKey ? (
          <li className={classes.gate}>
            <Text span size="sm">
              {said.noKey}
            </Text>
            <Status tone="bad">{said.states.closed}</Status>
          </li>
        ) : null}
      </ul>
    </Part>
  );
}

function gateText({ gate, state, seconds, allowed_networks }: Gate): string {
  switch (gate) {
    case "reauthentication":
      return said.gate.reauthentication(Math.round((seconds ?? 0) / 60));
    case "sign_in_age":
      return said.gate.sign_in_age(Math.max(1, Math.round((seconds ?? 0) / 3600)));
    case "api_key":
      return state === "closed"
        ? said.gate.api_key_expired
        : said.gate.api_key((allowed_networks ?? []).join(", "));
    default:
      return said.gate[gate];
  }
}
