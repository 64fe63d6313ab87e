/** The keys that seal what is protected, and the change from one to the next. */
import { plural } from "./common";

const number = (value: number) => value.toLocaleString();

/** What is sealed, by table and column. Columns that are missing are shown as they are. */
const columns: Record<string, string> = {
  "accounts.email": "E-mail addresses of accounts",
  "accounts.name": "Names of accounts",
  "attribute_values.sealed": "Values of profile attributes",
  "idempotency_keys.answer": "Kept answers of creating calls",
  "invitations.email": "Addresses of invitations",
  "invitations.message": "Messages of invitations",
  "outbox.payload": "Letters",
  "sessions.address": "Addresses that sessions were opened from",
  "sessions.user_agent": "Browsers that sessions were opened with",
  "signing_keys.private_key": "Keys that sign tokens",
};

const scopes: Record<string, { name: string; text: string }> = {
  pii: {
    name: "Personal data",
    text: "Names and e-mail addresses, invitations, and where sessions were opened from.",
  },
  secrets: {
    name: "Secrets",
    text: "Keys that sign tokens, letters on their way, kept answers of creating calls.",
  },
  mfa: { name: "Second factors", text: "What people prove themselves with beside the password." },
  hipaa: { name: "Health data", text: "What is protected as health information." },
};

export const keys = {
  title: "Keys",
  purpose:
    "What seals the protected data in the database, what signs access tokens, and how old it is.",
  facts: {
    root: "Root key",
    keeper: "Kept by",
    keepers: { server: "The servers' configuration", transit: "A Transit engine" },
    known: "Known to",
    knownTo: (known: number, all: number) =>
      known === all
        ? `${all === 1 ? "the one instance" : `all ${number(all)} instances`}`
        : `${number(known)} of ${plural(all, "instance", "instances")}`,
    counted: "Counted",
    counting: "Counting…",
    countAgain: "Count again",
    countFailed: "The values could not be counted",
    text: "The root key wraps the data keys and is never in the database. Its fingerprint is shown; keep the key itself apart from the backups.",
  },
  scopeName: (scope: string) => scopes[scope]?.name ?? scope,
  scopeText: (scope: string) => scopes[scope]?.text ?? "A scope from the configuration.",
  column: (name: string) => columns[name] ?? name,
  version: (version: number) => `Version ${version}`,
  noKey: "No key seals here",
  states: {
    pending: "Being announced",
    active: "Seals",
    retiring: "Being replaced",
    closing: "Being closed",
    retired: "Retired",
    destroyed: "Destroyed",
  },
  sealsSince: "Seals since",
  retiredSince: "Retired",
  destroyedSince: "Destroyed",
  under: (count: number) => `${plural(count, "value", "values")} under it`,
  uncounted: "not counted",
  age: (duration: string) => `${duration} old`,
  ageDays: (days: number) => plural(days, "day", "days"),
  ageMonths: (months: number) => plural(months, "month", "months"),
  ageYears: (years: number) => plural(years, "year", "years"),
  ageNew: "New",
  ageText: {
    fresh: "A key is due for a change after a year.",
    due: "Older than a year: due for a change.",
    late: "Older than two years, the longest that NIST SP 800-57 lets a key seal data.",
  },
  older: (count: number) => plural(count, "older version", "older versions"),
  share: "Values by version",
  rotate: "Rotate…",
  rotateNot: {
    running: "A rotation of this key is under way.",
  },
  running: (version: string, step: string) => `Change to ${version}: ${step}`,
  showProgress: "Show progress",
  wizard: {
    title: (scope: string) => `Rotate the key: ${scope}`,
    titleAny: "Rotation of a key",
    change: (from: string, to: string) => `From version ${from} to version ${to}`,
    steps: { preview: "Look", confirm: "Confirm", progress: "Progress" },
    of: "Steps of the rotation",
    previewText: (version: number) =>
      `This is what would be sealed anew. Nothing has been changed yet; version ${version} goes on sealing.`,
    previewNone: (version: number) =>
      `Nothing is under version ${version}. A rotation makes a new key and retires this one at once.`,
    field: "What",
    count: "Values",
    sum: "In all",
    caption: "Values under the present key",
    next: "Continue",
    back: "Back",
    effects: (from: number, values: number) => [
      `Version ${from + 1} is made and announced to every instance before it seals anything.`,
      values === 0
        ? "There is nothing to seal anew."
        : `${plural(values, "value is", "values are")} sealed anew in the background, 500 at a time.`,
      "People go on working: both keys open values until the end.",
      "You can pause at any moment. Whoever restarts or loses an instance loses nothing.",
      `Version ${from} is kept as retired until somebody destroys it, because backups from before need it.`,
    ],
    proof: "You are asked for your password if you signed in some time ago.",
    start: "Start rotation",
    started: (scope: string) => `The rotation of ${scope} has begun`,
    notFound: "There is no such rotation.",
    notScope: "There is no such scope.",
  },
  progress: {
    bar: "Values sealed anew",
    share: (done: number, total: number) =>
      `${number(done)} of ${plural(total, "value", "values")}`,
    percent: (share: number) => `${Math.floor(share * 100)}%`,
    rate: (perSecond: number) => `${number(Math.max(1, Math.round(perSecond)))} a second`,
    left: (duration: string) => `about ${duration} left`,
    took: (duration: string) => `Took ${duration}`,
    pass: (passes: number) => `Pass ${passes + 1}: something was still written under the old key.`,
    steps: {
      announcing: { name: "Announce", text: "Every instance loads the new key." },
      migrating: { name: "Seal anew", text: "The new key seals; older values follow." },
      verifying: { name: "Verify", text: "Nothing may be left under the old key." },
      closing: { name: "Close", text: "What people were found by under the old key is removed." },
      finished: { name: "Finished", text: "The old key is retired." },
    },
    step: (at: number, all: number, name: string) => `Step ${at} of ${all}: ${name}`,
    states: { done: "Done", now: "Now", next: "To come" },
    status: {
      paused: "Paused",
      finished: "Finished",
    },
    pause: "Pause",
    resume: "Resume",
    paused: (scope: string) => `The rotation of ${scope} is paused`,
    resumed: (scope: string) => `The rotation of ${scope} goes on`,
    pausedTitle: "Paused",
    pausedText:
      "Everything works with both keys. The batch that was under way is finished first; then nothing happens until you resume.",
    closeText: "You can close this or reload the page: the rotation goes on without it.",
    waitsTitle: (known: number, all: number) =>
      `Waits for instances: ${number(known)} of ${number(all)} know the keys`,
    waitsText:
      "It goes on as soon as all of them do. If one stays behind, restart it; an instance that has not been seen for 20 seconds is no longer waited for.",
    toInstances: "Look at the instances",
    failedTitle: "The job failed",
    failedText: "Mend what it says, then go on. Nothing is lost, and both keys open values.",
    retryTitle: "The last try failed",
    retryText: "It tries again by itself",
    idleTitle: "Nobody works on it at the moment",
    idleText: "The job takes it up again",
    toJobs: "Look at the job",
    goOn: "Go on now",
    doneTitle: "The key has been changed",
    doneText: (from: string) =>
      `Version ${from} is retired. It stays until somebody destroys it: do that when the last backup from before has expired.`,
    startedBy: "Started by",
    startedAt: "Started",
    movedAt: "Last came further",
    finishedAt: "Finished",
    id: "Rotation ID",
  },
  history: {
    title: "Rotations",
    text: "Every change from one key to the next, the latest first.",
    caption: "Rotations",
    scope: "Scope",
    versions: "Versions",
    state: "State",
    values: "Values",
    started: "Started",
    took: "Took",
    emptyTitle: "No key has been changed yet",
    emptyText: "Rotate a key when it is a year old, or at once when somebody may have seen it.",
    change: (from: string, to: string) => `${from} to ${to}`,
  },
  destroy: {
    act: "Destroy…",
    actOn: (scope: string, version: number) => `Destroy ${scope}, version ${version}…`,
    title: (scope: string, version: number) => `Destroy version ${version} of ${scope}?`,
    effects: (version: number) => [
      "The key is gone for good. Nobody can bring it back, and no root key helps.",
      "The running installation loses nothing: the server makes sure once more that nothing is under it.",
      `Backups from before this rotation can still be restored, but what version ${version} sealed in them can never be opened again.`,
      "If such a backup may still be needed, wait until it has expired.",
    ],
    typed: (scope: string, version: number) => `${scope} ${version}`,
    action: "Destroy key",
    done: (scope: string, version: number) => `Version ${version} of ${scope} is destroyed`,
    not: {
      pending: "It is only being announced.",
      active: "It is the key that seals. Rotate first.",
      retiring: "Values under it are still being sealed anew.",
      closing: "It is still being closed.",
      destroyed: "It is destroyed already.",
    },
    notEmpty: (count: number) => `${plural(count, "value is", "values are")} still under it.`,
  },
};
