/** Settings as the pages handle them: sections of fields, each a number, a demand, domains, one word, or some words. */
import type {
  ChoiceSetting,
  DemandSetting,
  DomainsSetting,
  NumberSetting,
  WordsSetting,
} from "../../api/types";
import { words } from "../../words";

const said = words.security;

export type Setting = NumberSetting | DomainsSetting | DemandSetting | ChoiceSetting | WordsSetting;
/** What a field can be set to; null leaves it to the platform, or to the default. */
export type Value = number | boolean | string | string[] | null;
export type Sections = Record<string, Record<string, Setting>>;

/** In the order in which people read them, which is that of their words. What has none comes last. */
function sorted<T>(record: Record<string, T>, order: readonly string[]): [string, T][] {
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.entries(record).sort(([one], [other]) => place(one) - place(other));
}

export function sectionsInOrder(sections: Sections): [string, Record<string, Setting>][] {
  return sorted(sections, Object.keys(said.sections));
}

export function fieldsInOrder(section: string, fields: Record<string, Setting>) {
  return sorted(fields, Object.keys(sectionWords(section).fields));
}

export function isNumber(setting: Setting): setting is NumberSetting {
  return "unit" in setting;
}

export function isDemand(setting: Setting): setting is DemandSetting {
  return "demanded" in setting;
}

export function isChoice(setting: Setting): setting is ChoiceSetting {
  return "options" in setting && typeof setting.effective === "string";
}

export function isWords(setting: Setting): setting is WordsSetting {
  return "options" in setting && Array.isArray(setting.effective);
}

export function setHere(setting: Setting): Value {
  return setting.value ?? null;
}

export function sameValue(one: Value, other: Value): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** "passwords.minimum_length", as faults name it too. */
export function keyOf(section: string, field: string): string {
  return `${section}.${field}`;
}

export const minutesOf: Record<string, number> = { minutes: 1, hours: 60, days: 1440 };

/** The largest unit in which a number of minutes is whole. */
export function unitFor(minutes: number): string {
  if (minutes > 0 && minutes % 1440 === 0) return "days";
  return minutes > 0 && minutes % 60 === 0 ? "hours" : "minutes";
}

/** A value in words: "12 characters", "30 days", "asked for", "any domain". */
export function inWords(
  setting: Setting,
  value: number | boolean | string | readonly string[] | null | undefined,
) {
  if (isDemand(setting)) return value ? said.demanded : said.notDemanded;
  if (typeof value === "string") return said.choice(value);
  if (isWords(setting)) return (Array.isArray(value) ? value : []).map(said.choice).join(", ");
  if (!isNumber(setting)) {
    if (!Array.isArray(value)) return said.anyDomain;
    return value.length > 0 ? value.join(", ") : said.noDomain;
  }
  return numberInWords(typeof value === "number" ? value : 0, setting.unit);
}

export function numberInWords(value: number, unit: string): string {
  if (unit !== "minutes") return said.counted(value, unit);
  const natural = unitFor(value);
  return said.counted(value / (minutesOf[natural] ?? 1), natural);
}

export function sectionWords(section: string) {
  return said.sections[section] ?? { title: named(section), text: "", fields: {} };
}

export function fieldWords(section: string, field: string) {
  return sectionWords(section).fields[field] ?? { label: named(field), hint: "" };
}

/** A name of the API for people. */
function named(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
