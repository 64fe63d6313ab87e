/** Proving again who one is, and platform admins who act in somebody else's organisation. */

/** "4:05". */
const clock = (seconds: number) =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

export const proof = {
  title: "Confirm that it is you",
  text: "What you are about to do needs a fresh proof of who you are. Then it goes on by itself.",
  person: (name: string, email: string) => `Signed in as ${name} (${email})`,
  password: "Password",
  required: "Enter your password.",
  wrong: "That password is wrong.",
  throttledTitle: "Too many wrong passwords",
  throttledText: "For your safety no password is accepted until the time is over.",
  tryAgainIn: (seconds: number) => `You can try again in ${clock(seconds)}`,
  confirm: "Confirm",
};

export const acting = {
  actIn: "Act in…",
  actInOwn: "You are a member of it: work in it instead.",
  actInDeleted: "It is deleted.",
  title: (name: string) => `Act in ${name}?`,
  effects: (name: string) => [
    `For 30 minutes you can do in ${name} what an owner can. You leave the platform's pages meanwhile.`,
    `The admins of ${name} see who you are, your reason, and everything you do, in their audit log.`,
    "Invitations that you send from there can be accepted only while you act there.",
  ],
  reason: "Reason",
  reasonHint: "For both audit logs. The organisation's admins read it.",
  reasonMissing: "Say why, for both audit logs.",
  start: "Act in it",
  started: (name: string) => `You act in ${name} now`,
  banner: "Platform support",
  bannerText: (name: string) => `You act in ${name}.`,
  bannerNote: "Everything you do here is recorded and visible to its admins.",
  left: (seconds: number) => `${clock(seconds)} left`,
  stop: "Stop acting",
  stopped: (name: string) => `You no longer act in ${name}`,
  over: (name: string) => `Your access to ${name} has ended`,
  badge: "Platform support",
};

export const platformAccess = {
  title: "Platform support",
  purpose:
    "When platform admins worked in this organisation without being members, and why. What they did is in the audit log.",
  caption: "Accesses by platform admins, newest first",
  who: "Who",
  nobody: "A former account",
  erased: "Erased person",
  reasonErased: "Erased with the person",
  reason: "Reason",
  started: "From",
  ended: "Until",
  state: "State",
  running: "Running",
  ends: {
    stopped: "Stopped",
    switched: "Went elsewhere",
    expired: "Time was over",
    session_ended: "Signed out",
    authority_lost: "Lost the right",
    organization_deleted: "Organisation deleted",
  },
  emptyTitle: "Nobody was here",
  emptyText: "When a platform admin acts in this organisation, it appears here at once.",
};
