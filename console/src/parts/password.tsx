/** A new password's field, with its strength and what it still needs. The server decides; this says so early. */
import { Group, PasswordInput, type PasswordInputProps, Text, VisuallyHidden } from "@mantine/core";
import { IconCheck, IconPoint } from "@tabler/icons-react";
import { useEffect, useId, useRef, useState } from "react";
import { api, take } from "../api/client";
import type { PasswordRules, PasswordVerdict } from "../api/types";
import { words } from "../words";
import classes from "./password.module.css";

const said = words.gate.password;

interface Person {
  name?: string;
  email?: string;
  /** What the settings ask for, once the server has said so. */
  rules?: PasswordRules;
}

/** What holds where the server has not said yet what does; it has the last word. */
const usual: PasswordRules = {
  minimum_length: 12,
  maximum_length: 256,
  require_upper_case: true,
  require_lower_case: true,
  require_digit: true,
  require_special: true,
  minimum_strength: 0,
  history: 1,
};

interface Need {
  text: string;
  met: boolean;
}

/** The needs and whether the password meets them, in the order shown. */
function needsOf(password: string, person: Person, verdict: PasswordVerdict | null): Need[] {
  const rules = person.rules ?? usual;
  const length = [...password].length;
  const { minimum_length: least, maximum_length: most } = rules;
  const unmet = (code: string) => verdict?.unmet.some((rule) => rule.code === code) ?? false;
  const needs: [boolean, Need][] = [
    [
      true,
      {
        text: length > most ? said.tooLong(most) : said.length(least),
        met: length >= least && length <= most,
      },
    ],
    [rules.require_lower_case, { text: said.lower, met: /\p{Ll}/u.test(password) }],
    [rules.require_upper_case, { text: said.upper, met: /\p{Lu}/u.test(password) }],
    [rules.require_digit, { text: said.digit, met: /[0-9]/.test(password) }],
    [rules.require_special, { text: said.special, met: /[^\p{L}\p{N}]/u.test(password) }],
    [true, { text: said.personal, met: password !== "" && !personal(password, person) }],
    [true, { text: said.uncommon, met: verdict !== null && !unmet("common") }],
    [
      rules.minimum_strength > 0,
      { text: said.strong, met: verdict !== null && !unmet("too_weak") },
    ],
  ];
  return needs.filter(([asked]) => asked).map(([, need]) => need);
}

/** Whether all is well that can be told without asking the server. */
export function passwordComplete(password: string, person: Person): boolean {
  const benign = { acceptable: true, strength: 4, maximum_strength: 4, unmet: [] };
  return needsOf(password, person, benign).every((need) => need.met);
}

function personal(password: string, { name = "", email = "" }: Person): boolean {
  const text = password.toLowerCase();
  const parts = [email, email.split("@")[0] ?? "", ...name.split(/\s+/)];
  return parts.some((part) => part.trim().length >= 4 && text.includes(part.trim().toLowerCase()));
}

/** Asks the server what is to be said of a password. */
export type Judge = (password: string, signal: AbortSignal) => Promise<PasswordVerdict>;

/** Whoever is signed in is judged as themselves. */
export const judgeOwn: Judge = (password, signal) =>
  take(api.POST("/v1/me/password/check", { body: { password }, signal }));

/** Whoever has a link is judged by what the link is for. */
export function judgeByLink(token: string, name?: string, email?: string): Judge {
  const known = { ...(name?.trim() ? { name: name.trim() } : {}), ...(email ? { email } : {}) };
  return (password, signal) =>
    take(api.POST("/v1/password-checks", { body: { token, password, ...known }, signal }));
}

/** How long nothing is typed before the server is asked. */
const pause = 250;

/** The verdict on what is typed; null while there is none. A password is kept in no cache. */
function useVerdict(password: string, judge: Judge | undefined): PasswordVerdict | null {
  const [judged, setJudged] = useState<{ password: string; verdict: PasswordVerdict } | null>(null);
  const latest = useRef(judge);
  latest.current = judge;
  useEffect(() => {
    if (!password || [...password].length > 256) return;
    const stop = new AbortController();
    const timer = window.setTimeout(async () => {
      try {
        const verdict = await latest.current?.(password, stop.signal);
        if (verdict) setJudged({ password, verdict });
      } catch {
        // What it is worth is found out when it is sent.
      }
    }, pause);
    return () => {
      window.clearTimeout(timer);
      stop.abort();
    };
  }, [password]);
  return judged?.password === password ? judged.verdict : null;
}

interface NewPasswordProps extends PasswordInputProps {
  person: Person;
  /** The password as it is now. */
  current: string;
  /** Who says what it is worth. */
  judge?: Judge;
}

export function NewPassword({ person, current, judge, ...props }: NewPasswordProps) {
  const id = useId();
  const verdict = useVerdict(current, judge);
  return (
    <div>
      <PasswordInput
        autoComplete="new-password"
        maxLength={300}
        visibilityToggleButtonProps={{ "aria-label": said.show }}
        aria-describedby={id}
        required
        {...props}
      />
      {judge ? <Strength verdict={verdict} empty={current === ""} /> : null}
      <div id={id} className={classes.needs}>
        <VisuallyHidden>{said.needs}</VisuallyHidden>
        <ul>
          {needsOf(current, person, verdict).map((need) => (
            <Group
              key={need.text}
              component="li"
              gap={6}
              wrap="nowrap"
              data-met={need.met || undefined}
            >
              {need.met ? <IconCheck size={13} stroke={2.4} /> : <IconPoint size={13} />}
              <Text size="xs">{need.text}</Text>
              <VisuallyHidden>{need.met ? said.met : said.unmet}</VisuallyHidden>
            </Group>
          ))}
        </ul>
      </div>
    </div>
  );
}

/** How hard it is to guess, as the server estimates it. */
function Strength({ verdict, empty }: { verdict: PasswordVerdict | null; empty: boolean }) {
  const most = verdict?.maximum_strength ?? 4;
  const strength = verdict?.strength ?? 0;
  const name = verdict ? (said.strengths[strength] ?? "") : empty ? said.noStrength : said.judging;
  return (
    <div className={classes.strength}>
      <div
        className={classes.meter}
        data-strength={verdict ? strength : undefined}
        aria-hidden="true"
      >
        {Array.from({ length: most }, (_, at) => `step-${at}`).map((key, at) => (
          <span key={key} data-lit={(verdict && at < Math.max(strength, 1)) || undefined} />
        ))}
      </div>
      <Text size="xs" className={classes.verdict} role="status">
        {empty ? null : <VisuallyHidden>{said.strength}: </VisuallyHidden>}
        {name}
      </Text>
    </div>
  );
}

/** The field for a password that exists already. */
export function CurrentPassword(props: PasswordInputProps) {
  return (
    <PasswordInput
      autoComplete="current-password"
      visibilityToggleButtonProps={{ "aria-label": said.show }}
      required
      {...props}
    />
  );
}
