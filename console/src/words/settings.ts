/** Organisation settings. */
export const settings = {
  title: "Organisation",
  purpose: "The name and address of this organisation, and its end.",
  general: "General",
  name: "Name",
  nameHint: "Shown in the console, in invitations and in e-mails.",
  slug: "Short name",
  slugHint:
    "Used in addresses of this console. Lower-case letters, digits and hyphens. Old links stop working when it changes.",
  id: "Organisation ID",
  created: "Created",
  updated: "Last changed",
  danger: "Delete organisation",
  dangerText:
    "Everyone loses access at once. A platform admin can restore it for a time, then it stays closed.",
  platformNot: "The platform's own organisation can't be deleted.",
  delete: "Delete organisation…",
  deleteTitle: (name: string) => `Delete ${name}?`,
  deleteEffects: (name: string) => [
    `Every member of ${name} loses access within a second, you too.`,
    "Open invitations stop working.",
    "A platform admin can restore it until its grace period ends. After that, it stays closed.",
  ],
  deleteDo: "Delete organisation",
  deleted: (name: string) => `${name} was deleted`,
};
