/** What was changed on a page of settings and is not saved yet, with what is wrong with it. */
import { useState } from "react";
import { Problem } from "../../api/problem";
import { words } from "../../words";
import {
  isNumber,
  keyOf,
  numberInWords,
  type Sections,
  type Setting,
  sameValue,
  setHere,
  type Value,
} from "./values";

const said = words.security;

type Entries = Record<string, Value>;

export interface Draft {
  value: (section: string, field: string, setting: Setting) => Value;
  change: (section: string, field: string, setting: Setting, value: Value) => void;
  error: (section: string, field: string) => string | undefined;
  count: number;
  discard: () => void;
  /** The body that saves the changes, or null when something is wrong with them. */
  body: () => Record<string, Record<string, Value>> | null;
  /** Puts a refusal beside its fields; whether every fault found one. */
  refused: (error: unknown) => boolean;
}

/** "must be at least 16" as a sentence. */
function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return capital.endsWith(".") ? capital : `${capital}.`;
}

function faultOf(setting: Setting, value: Value): string | undefined {
  if (!isNumber(setting) || typeof value !== "number") return undefined;
  const { minimum, maximum, unit } = setting;
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return undefined;
  const least = numberInWords(minimum, unit);
  return minimum < maximum ? said.range(least, numberInWords(maximum, unit)) : said.only(least);
}

export function useDraft(sections: Sections): Draft {
  const [entries, setEntries] = useState<Entries>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const settingOf = (key: string) => {
    const [section = "", field = ""] = key.split(".");
    return sections[section]?.[field];
  };
  // What somebody else has set meanwhile to what is wanted here is no change any more.
  const changed = Object.entries(entries).filter(([key, value]) => {
    const setting = settingOf(key);
    return setting !== undefined && !sameValue(value, setHere(setting));
  });
  const setError = (key: string, text: string | undefined) =>
    setErrors(({ [key]: _, ...others }) => (text ? { ...others, [key]: text } : others));

  return {
    value: (section, field, setting) => {
      const key = keyOf(section, field);
      return key in entries ? (entries[key] ?? null) : setHere(setting);
    },
    change: (section, field, setting, value) => {
      const key = keyOf(section, field);
      setEntries((now) => ({ ...now, [key]: value }));
      setError(key, faultOf(setting, value));
    },
    error: (section, field) => errors[keyOf(section, field)],
    count: changed.length,
    discard: () => {
      setEntries({});
      setErrors({});
    },
    body: () => {
      const body: Record<string, Record<string, Value>> = {};
      for (const [key, value] of changed) {
        const [section = "", field = ""] = key.split(".");
        body[section] = { ...body[section], [field]: value };
      }
      return Object.keys(errors).length > 0 ? null : body;
    },
    refused: (error) => {
      if (!(error instanceof Problem) || error.faults.length === 0) return false;
      const placed: Record<string, string> = {};
      for (const { field, detail } of error.faults) {
        // A fault inside a list ("invitations.allowed_domains.2") belongs to the field that holds it.
        const key = field?.split(".").slice(0, 2).join(".") ?? "";
        if (settingOf(key)) placed[key] = sentence(detail);
      }
      setErrors(placed);
      return Object.keys(placed).length > 0;
    },
  };
}
