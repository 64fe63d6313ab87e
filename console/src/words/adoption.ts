/** How many people have a second factor. */
export const adoption = {
  title: "Second factors",
  text: "How many people can prove more than a password. Blocked ones don't count.",
  methods: {
    totp: "Authenticator app",
    passkey: "Passkey",
    email_code: "Codes by e-mail",
  } as Record<string, string>,
  byRole: "By role",
  byMethod: "By method",
  overTime: "Over time",
  required: "required",
  requiredText: "This role demands a second factor.",
  share: (enrolled: number, people: number) =>
    `${enrolled.toLocaleString()} of ${people.toLocaleString()}`,
  missing: (count: number) =>
    count === 1 ? "1 without one" : `${count.toLocaleString()} without one`,
  everybody: "Everybody has one",
  see: "See who has none",
  noMethod: "Nobody has a second factor yet.",
  withOne: "With one",
  without: "Without one",
  ofDay: (day: string, enrolled: number, people: number) => `${day}: ${enrolled} of ${people}`,
  span: "Days",
  spans: { month: "30 days", quarter: "90 days", year: "A year" },
  counted: "Counted",
  notCounted:
    "This organisation is so large that its people are counted once an hour. That has not been done yet.",
  firstDay: "Each day's count is kept, so the chart grows from today on.",
};
