/** Small marks for roles and states. Never by colour alone: each says its word. */
import { Badge, Group, Text } from "@mantine/core";
import type { Outcome, Severity, TeamOf } from "../api/types";
import { words } from "../words";
import classes from "./badges.module.css";
import { roleName } from "./permissions";

export function RoleBadge({ role }: { role: string }) {
  return (
    <Badge className={classes.role} data-role-name={role}>
      {roleName(role)}
    </Badge>
  );
}

/** The teams that somebody is in or is invited to, each with what it gives. */
export function Teams({ teams }: { teams: TeamOf[] }) {
  if (teams.length === 0) return <>{words.teams.none}</>;
  return (
    <ul className={classes.teams}>
      {teams.map(({ id, name, role }) => (
        <li key={id}>
          {name} {role ? <RoleBadge role={role} /> : null}
        </li>
      ))}
    </ul>
  );
}

/** A person's direct role, and what teams make of it where that is more. */
export function RolesOf({ role, effective }: { role: string; effective: string[] }) {
  const byTeam = effective.filter((name) => name !== role);
  return (
    <Group gap={6}>
      <RoleBadge role={role} />
      {byTeam.map((name) => (
        <Text key={name} size="xs" c="dimmed">
          {words.teams.byTeam(roleName(name))}
        </Text>
      ))}
    </Group>
  );
}

export type Tone = "good" | "busy" | "warn" | "bad" | "quiet";

/** A coloured dot and its word. */
export function Status({ tone, children }: { tone: Tone; children: string }) {
  return (
    <Group gap={7} wrap="nowrap" display="inline-flex" className={classes.status}>
      <span className={classes.dot} data-tone={tone} aria-hidden="true" />
      <Text span inherit>
        {children}
      </Text>
    </Group>
  );
}

const outcomeTones: Record<Outcome, Tone> = { success: "good", refused: "warn", failed: "bad" };

export function OutcomeStatus({ outcome }: { outcome: Outcome }) {
  return <Status tone={outcomeTones[outcome]}>{words.audit.outcomes[outcome]}</Status>;
}

export function SeverityBadge({ severity }: { severity: Severity }) {
  return (
    <Badge className={classes.severity} data-severity={severity}>
      {words.audit.severities[severity]}
    </Badge>
  );
}

/** What waits for a person: "2 failed". */
export function AlarmBadge({ children }: { children: string }) {
  return (
    <Badge className={classes.severity} data-severity="high">
      {children}
    </Badge>
  );
}

/** What should be looked at before long: "13 months old". */
export function WarnBadge({ children }: { children: string }) {
  return (
    <Badge className={classes.severity} data-severity="medium">
      {children}
    </Badge>
  );
}

/** A remark that is neither good nor bad. */
export function PlainBadge({ children }: { children: string }) {
  return (
    <Badge className={classes.severity} data-severity="low">
      {children}
    </Badge>
  );
}

/** Marks what belongs to the viewer: "you", "this session". */
export function OwnBadge({ children }: { children: string }) {
  return <Badge className={classes.own}>{children}</Badge>;
}
