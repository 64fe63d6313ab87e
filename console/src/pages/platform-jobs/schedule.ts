/** What a cron line means, in words; only the shapes that people write. */
import { words } from "../../words";

const said = words.jobs.schedules;

/** The step of "*\/15", or of "*", which is 1; null for anything else. */
function stepOf(field: string): number | null {
  if (field === "*") return 1;
  const step = /^\*\/(\d+)$/.exec(field)?.[1];
  return step ? Number(step) : null;
}

function numberOf(field: string): number | null {
  return /^\d+$/.test(field) ? Number(field) : null;
}

const padded = (number: number) => String(number).padStart(2, "0");

/** Six fields: second, minute, hour, day of the month, month, day of the week. */
export function scheduleText(cron: string): string {
  const [second = "", minute = "", hour = "", day = "", month = "", weekday = ""] =
    cron.split(/\s+/);
  const everyDay = day === "*" && month === "*" && weekday === "*";
  const seconds = stepOf(second);
  if (everyDay && seconds && minute === "*" && hour === "*") return said.everySeconds(seconds);
  if (second !== "0") return said.other;
  const minutes = stepOf(minute);
  if (everyDay && minutes && hour === "*") return said.everyMinutes(minutes);
  const atMinute = numberOf(minute);
  if (atMinute === null) return said.other;
  const hours = stepOf(hour);
  if (everyDay && hours) return said.everyHours(hours, atMinute);
  const atHour = numberOf(hour);
  if (atHour === null || month !== "*") return said.other;
  const time = `${padded(atHour)}:${padded(atMinute)}`;
  if (everyDay) return said.daily(time);
  const onWeekday = numberOf(weekday);
  if (day === "*" && onWeekday !== null) return said.weekly(onWeekday % 7, time);
  const onDay = numberOf(day);
  if (weekday === "*" && onDay !== null) return said.monthly(onDay, time);
  return said.other;
}
