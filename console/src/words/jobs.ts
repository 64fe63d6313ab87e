/** What runs by itself, and the instances that run it. */
import { plural } from "./common";

/** What a run counts, by its name in the result. Names that are missing are shown as they are. */
const counted: Record<string, readonly [one: string, many: string]> = {
  counters: ["counter", "counters"],
  devices: ["device", "devices"],
  finished: ["rotation finished", "rotations finished"],
  email_links: ["link to an address", "links to addresses"],
  cancelled: ["import", "imports"],
  invitations: ["invitation", "invitations"],
  keys: ["key", "keys"],
  letters: ["letter", "letters"],
  links: ["link", "links"],
  organizations: ["organisation", "organisations"],
  refresh_tokens: ["refresh token", "refresh tokens"],
  removed: ["entry", "entries"],
  rows: ["value sealed anew", "values sealed anew"],
  sign_up_requests: ["sign-up that waited", "sign-ups that waited"],
  sign_ups: ["sign-up", "sign-ups"],
  sessions: ["session", "sessions"],
};

const days = ["Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"];

export const jobs = {
  title: "Jobs",
  purpose: "What Freehold does by itself, when it did so last, and when it does so next.",
  caption: "Jobs",
  job: "Job",
  state: "State",
  lastRun: "Last run",
  nextRun: "Next run",
  schedule: "Schedule",
  emptyTitle: "No jobs",
  emptyText: "This release does nothing by itself.",
  states: {
    scheduled: "On schedule",
    paused: "Paused",
    again: "Tries again",
  },
  failed: (count: number) => `${count.toLocaleString()} failed`,
  failedText: (count: number) =>
    `${plural(count, "run has", "runs have")} failed for good and can be retried from the history.`,
  never: "Never yet",
  starting: "Starts within seconds",
  runningSince: "Began",
  triesAgain: "Tries again",
  notPlanned: "Not while paused",
  nothingToDo: "Nothing to do",
  counted: (name: string, count: number) => {
    const words = counted[name];
    return words
      ? plural(count, words[0], words[1])
      : `${name.replaceAll("_", " ")}: ${count.toLocaleString()}`;
  },
  other: (name: string, value: string) => `${name.replaceAll("_", " ")}: ${value}`,
  schedules: {
    everySeconds: (step: number) => (step === 1 ? "Every second" : `Every ${step} seconds`),
    everyMinutes: (step: number) => (step === 1 ? "Every minute" : `Every ${step} minutes`),
    everyHours: (step: number, minute: number) =>
      `Every ${step === 1 ? "hour" : `${step} hours`} at minute ${minute}`,
    daily: (time: string) => `Every day at ${time} UTC`,
    weekly: (day: number, time: string) => `${days[day] ?? ""} at ${time} UTC`,
    monthly: (day: number, time: string) => `On day ${day} of each month at ${time} UTC`,
    other: "At the times of its cron line",
  },
  cron: "Second, minute, hour, day of the month, month, day of the week; in UTC",
  runNow: "Run now",
  runNowText: "Puts one run in the queue, also while paused.",
  runNot: "A run of it waits or runs already.",
  asked: (title: string) => `${title} is in the queue and starts within seconds`,
  done: (title: string, result: string | null) =>
    `${title} is done: ${result ?? "there was nothing to do"}`,
  died: (title: string) => `${title} failed`,
  pause: "Pause",
  pauseText: "Takes it off its schedule until you resume it.",
  pauseTitle: (title: string) => `Pause “${title}”?`,
  pauseEffects: (purpose: string) => [
    `Until you resume it, this no longer happens by itself: ${purpose}`,
    "A run that waits or runs at this moment is not stopped.",
    "You can still run it by hand.",
  ],
  pauseAction: "Pause job",
  paused: (title: string) => `${title} is paused`,
  pausedSince: "Paused since",
  pausedBy: "Paused by",
  resume: "Resume",
  resumeText: "Puts it on its schedule again, from its next time on.",
  resumed: (title: string) => `${title} is on its schedule again`,
  name: "Name",
  chart: (count: number) => `The last ${count.toLocaleString()} runs`,
  chartText: "How long each took, the latest on the right.",
  chartTotal: (succeeded: number, failed: number, longest: string) =>
    `${succeeded.toLocaleString()} succeeded, ${failed.toLocaleString()} failed; longest ${longest}`,
  ended: "Ended",
  duration: "Duration",
  result: "Result",
  history: "History",
  historyNone: "It has not run yet. Its first run is kept here, with what it did.",
  runStates: {
    queued: "In the queue",
    running: "Running",
    succeeded: "Succeeded",
    dead: "Failed",
  },
  cause: "Cause",
  causes: { schedule: "Schedule", person: "Asked for" },
  requestedBy: "Asked by",
  fireTime: "Due",
  available: "Next attempt",
  started: "Began",
  attempts: "Attempts",
  error: "Error",
  instance: "Instance",
  instanceGone: "No longer there",
  term: "Term",
  runId: "Run ID",
  retry: "Retry",
  retryText: "Puts this run in the queue again, with all its attempts.",
  retried: "The run is in the queue again",
};

export const instances = {
  title: "Instances",
  purpose: "The servers that share this database, and which of them runs the jobs.",
  caption: "Instances",
  instance: "Instance",
  version: "Version",
  started: "Started",
  seen: "Sign of life",
  leader: "Leader",
  answers: "Answers you",
  leads: "Leads",
  nobody: "Nobody",
  term: "Term",
  since: "Since",
  present: "Present",
  counts: (live: number, gone: number) =>
    `${plural(live, "instance", "instances")}${gone > 0 ? `, ${gone.toLocaleString()} not seen` : ""}`,
  alive: "Just now",
  notSeen: (duration: string) => `Not seen for ${duration}`,
  nobodyTitle: "No instance leads",
  nobodyText: "No job runs until one does. Another takes over within seconds.",
  mixedTitle: (count: number) => `${count.toLocaleString()} releases run side by side`,
  mixedText: (versions: string) =>
    `${versions}. That is as it should be during a rolling upgrade; if it stays so, an instance was left behind.`,
  termText:
    "Each change of leader begins a new term. What a leader of an older term still tries to write is refused.",
  emptyTitle: "No instance has said that it is there",
  emptyText: "Each says so every 5 seconds. Look again in a moment.",
};
