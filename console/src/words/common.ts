/** Words that several pages share. */
export const plural = (count: number, one: string, many: string) =>
  `${count.toLocaleString()} ${count === 1 ? one : many}`;

export const common = {
  cancel: "Cancel",
  close: "Close",
  dismiss: "Dismiss this message",
  save: "Save changes",
  saved: "Saved",
  retry: "Try again",
  loading: "Loading",
  copy: "Copy",
  copied: "Copied",
  more: (what: string) => `Actions for ${what}`,
  never: "Never",
  none: "—",
  you: "you",
  all: "All",
  filters: "Filters",
  clearFilters: "Clear filters",
  search: "Search",
  previousPage: "Previous",
  nextPage: "Next",
  firstPage: "First page",
  pages: "Pages",
  details: "Details",
  utc: (text: string) => `${text} UTC`,
  typeToConfirm: (text: string) => `Type ${text} to confirm`,
  skip: "Skip to content",
  noMatchTitle: "Nothing matches these filters",
  noMatchText: "Change or clear the filters to see more.",
  changedElsewhereTitle: "Changed by someone else",
  changedElsewhere:
    "Someone else changed this meanwhile. It was reloaded; look again, then repeat your change.",
  notAllowed: (role: string) => `Your role does not allow this. It needs ${role} or above.`,
  notAllowedPlatform: "Only platform admins can do this, from the platform's own organisation.",
  notAllowedNow: "Not available to you right now.",
};
