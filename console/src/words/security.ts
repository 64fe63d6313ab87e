/** Settings of the platform and of an organisation: what holds, and who says so. */
import { plural } from "./common";

interface FieldWords {
  label: string;
  hint: string;
}

interface SectionWords {
  title: string;
  text: string;
  fields: Record<string, FieldWords>;
}

/** By the names of the API. What is missing is called by its name there. */
const sections: Record<string, SectionWords> = {
  passwords: {
    title: "Passwords",
    text: "For every password that is chosen from now on. Somebody in several organisations meets the strictest.",
    fields: {
      minimum_length: {
        label: "Minimum length",
        hint: "Longer is stricter.",
      },
      require_upper_case: { label: "Upper-case letter", hint: "" },
      require_lower_case: { label: "Lower-case letter", hint: "" },
      require_digit: { label: "Digit", hint: "" },
      require_special: {
        label: "Special character",
        hint: "Any that is neither letter nor digit.",
      },
      minimum_strength: {
        label: "Minimum strength",
        hint: "By zxcvbn's estimate: 0 is any, 3 is safe from guessing online, 4 is strong.",
      },
      history: {
        label: "Not again",
        hint: "The last passwords that can't be chosen again, with the present one.",
      },
    },
  },
  sessions: {
    title: "Sessions",
    text: "How long a sign-in lasts. It holds at once, for people who are signed in too.",
    fields: {
      lifetime_minutes: {
        label: "Sign in again after",
        hint: "However active someone is.",
      },
      idle_minutes: {
        label: "Sign out when away for",
        hint: "Nothing was done in the meantime, on any page.",
      },
    },
  },
  lockout: {
    title: "Wrong passwords",
    text: "What stops people from guessing. It holds in every organisation alike, so that nobody learns who is in which.",
    fields: {
      failures: {
        label: "Lock the sign-in after",
        hint: "Wrong passwords for one e-mail address, or on one known device.",
      },
      lock_minutes: {
        label: "The first lock lasts",
        hint: "Each further wrong password doubles it.",
      },
      longest_lock_minutes: {
        label: "A lock lasts at most",
        hint: "However many wrong passwords there were.",
      },
      address_failures: {
        label: "Close a network address after",
        hint: "Wrong passwords from there, for whatever e-mail addresses.",
      },
      address_minutes: {
        label: "They count for",
        hint: "Many people may share a network address; older failures are forgotten.",
      },
    },
  },
  reauthentication: {
    title: "Sensitive actions",
    text: "Changing keys, connections, passwords and the like asks for a fresh proof of who one is.",
    fields: {
      window_minutes: {
        label: "A proof counts for",
        hint: "After that, the next sensitive action asks again.",
      },
    },
  },
  mfa: {
    title: "Second factors",
    text: "Who needs one. Until it is set up, and after the time to do without, nothing else is open to them.",
    fields: {
      required_from: { label: "Needed from", hint: "This role and every higher one." },
      grace_days: {
        label: "Time to set one up",
        hint: "Counted once for each person, from when their role first needed one.",
      },
      email_codes_count_for: {
        label: "Codes by e-mail count for",
        hint: "Whoever reads a mailbox has its codes. Where they count for nobody, nobody can switch them on.",
      },
      trusted_devices: {
        label: "Trusted devices",
        hint: "Whether people may trust a browser for 14 days, where their password is then enough.",
      },
      recovery_wait_hours: {
        label: "A recovery waits",
        hint: "So that the owner of an account can stop a recovery that they did not ask for.",
      },
      recovery_approval: {
        label: "A recovery needs approval",
        hint: "Of somebody who has lost their second factor and has a recovery address.",
      },
    },
  },
  sign_in: {
    title: "Ways to sign in",
    text: "Who signed in another way has no access. At least one way stays on.",
    fields: {
      ways: {
        label: "Ways",
        hint: "Some of those that the platform has.",
      },
    },
  },
  sign_up: {
    title: "Sign-up",
    text: "Who may come without an invitation. What the platform opens, each organisation opens for itself.",
    fields: {
      mode: {
        label: "Who may sign up",
        hint: "They prove their e-mail address first, and join as members.",
      },
      domains: {
        label: "E-mail domains",
        hint: "Exactly these; a subdomain is another domain. They bind in every mode.",
      },
    },
  },
  invitations: {
    title: "Invitations",
    text: "Who may be asked to join, and for how long.",
    fields: {
      lifetime_days: {
        label: "An invitation works for",
        hint: "For those that are sent from now on.",
      },
      allowed_domains: {
        label: "Allowed e-mail domains",
        hint: "Exactly these; a subdomain is another domain. Open invitations to others stop working.",
      },
    },
  },
  retention: {
    title: "Record",
    text: "How long what happened is kept. What is older is dropped by the month; its seals stay.",
    fields: {
      normal_days: { label: "Everyday entries", hint: "Profile changes, letters and the like." },
      security_days: {
        label: "Security entries",
        hint: "Sign-ins, roles, keys and whatever else is about access.",
      },
    },
  },
  organizations: {
    title: "Deleted organisations",
    text: "What becomes of an organisation that its owner deletes.",
    fields: {
      grace_days: {
        label: "Can be restored for",
        hint: "For those that are deleted from now on.",
      },
    },
  },
};

/** The words that a setting can be, by the names of the API. */
const choices: Record<string, string> = {
  open: "Anyone with an e-mail address",
  domain_restricted: "Addresses of certain domains",
  approval_required: "Anyone an administrator lets in",
  invitation_only: "Only who is invited",
  password: "Password",
  nobody: "Nobody",
  everybody: "Everybody",
  below_admin: "Whoever is no administrator",
  allowed: "Allowed",
  never: "Never",
  platform_admin: "Platform admins",
  owner: "Owners and above",
  admin: "Admins and above",
  manager: "Managers and above",
  member: "Everyone",
  none: "Nobody’s",
  administrator: "An administrator’s",
};

const units: Record<string, [string, string]> = {
  attempts: ["attempt", "attempts"],
  characters: ["character", "characters"],
  minutes: ["minute", "minutes"],
  hours: ["hour", "hours"],
  days: ["day", "days"],
  points: ["point", "points"],
  passwords: ["password", "passwords"],
};

const counted = (count: number, unit: string) => {
  const [one, many] = units[unit] ?? [unit, unit];
  return plural(count, one, many);
};

export const security = {
  title: "Security",
  purpose: "What this organisation asks for. It can be stricter than the platform, never laxer.",
  platformTitle: "Platform settings",
  platformPurpose:
    "What holds in every organisation. Each can be stricter for itself, never laxer.",
  sections,
  counted,
  choice: (word: string) => choices[word] ?? word.replaceAll("_", " "),
  inherit: "Not set here",
  unitNames: Object.fromEntries(Object.entries(units).map(([name, [, many]]) => [name, many])),
  unitOf: (label: string) => `Unit of “${label}”`,
  sources: {
    default: "Default",
    platform: "Set by platform",
    organization: "Set here",
  },
  sourcesOnPlatform: { default: "Default", platform: "Set here", organization: "Set here" },
  inForce: "In force:",
  demanded: "Asked for",
  notDemanded: "Not asked for",
  demandedAbove: "The platform asks for it everywhere.",
  profile: "Profile",
  profileHint: "A profile fills in what is below. These values are none of the profiles'.",
  profileCustom: "Own values",
  profileLaxer: "laxer than the platform",
  anyDomain: "any domain",
  noDomain: "no domain at all",
  overruled: (value: string) =>
    `Your own ${value} is less strict than the platform's and waits until that changes.`,
  range: (least: string, most: string) => `From ${least} to ${most}.`,
  only: (value: string) => `Only ${value} is possible here.`,
  domainHint: "example.com",
  domainsFrom: (list: string) => `Some of ${list}.`,
  reset: (label: string) => `Reset “${label}”`,
  resetShort: "Reset",
  unsaved: (count: number) => plural(count, "unsaved change", "unsaved changes"),
  discard: "Discard",
  leaveTitle: "Leave without saving?",
  leaveEffect: (count: number) =>
    `${plural(count, "change", "changes")} on this page will be lost.`,
  leave: "Leave without saving",
  history: "History",
  historyTitle: "History of these settings",
  historyEmptyTitle: "Nothing was ever changed",
  historyEmptyText: "Every change shows up here, with who made it and when.",
  version: (version: number) => `Version ${version}`,
  by: (name: string) => `by ${name}`,
  byUnknown: "by an account that is gone",
  notSet: "not set",
  became: "became",
  older: "Show older",
};
