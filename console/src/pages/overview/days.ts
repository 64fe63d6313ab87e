/** Days are days in UTC: they are named as such wherever the viewer is. */
const form = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});

export const dayName = (date: string | undefined) => (date ? form.format(new Date(date)) : "");
