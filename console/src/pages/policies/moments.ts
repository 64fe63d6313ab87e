/** Moments to look back at, in the viewer's zone; in the address they are instants (RFC 3339). */

const day = 86_400_000;

export function daysAgo(days: number, now = new Date()): string {
  return new Date(now.getTime() - days * day).toISOString();
}

/** The first instant of a quarter: of this one, or with −1 of the one before. */
export function quarterStart(offset: number, now = new Date()): string {
  const first = Math.floor(now.getMonth() / 3) * 3 + offset * 3;
  return new Date(now.getFullYear(), first, 1).toISOString();
}

/** The last second before an instant. */
export function secondBefore(instant: string): string {
  return new Date(Date.parse(instant) - 1_000).toISOString();
}

/** An instant as the browser's date and time field has it: "2026-03-31T23:59:59", local. */
export function fieldOf(instant: string | undefined): string {
  if (!instant) return "";
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return "";
  const two = (number: number) => String(number).padStart(2, "0");
  const days = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${days}T${time}`;
}

/** What such a field says as an instant; nothing while it is not filled. */
export function instantOf(field: string): string | undefined {
  const date = new Date(field);
  return field === "" || Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

const said = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** "31 Mar 2026, 23:59:59"; what is no moment as it is. */
export function momentText(instant: string): string {
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? instant : said.format(date);
}

/** The next whole second: an instant of the past has parts of seconds that a field has not. */
export function roundUp(instant: string): string {
  return new Date(Math.ceil(Date.parse(instant) / 1_000) * 1_000).toISOString();
}
