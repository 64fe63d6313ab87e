/** What proves the audit log: seals, checkpoints, and files of evidence. */
import { plural } from "./common";

const counted = new Intl.NumberFormat();

export const evidence = {
  title: "Evidence",
  purpose:
    "Proof that the audit log is as it was written. Anybody can verify it, without this server.",
  sealing: "Seals",
  sealingText:
    "Each entry is hashed into a chain, and the chain is signed, seconds after it was written.",
  noteSealed: "What is signed can’t be changed, removed or put into another order without showing.",
  noteComplete:
    "Everything written before then is signed. An entry that turns up later was inserted.",
  sealed: "Sealed entries",
  checkpoint: "Last checkpoint",
  checkpointOf: (number: number) => `Number ${counted.format(number)}`,
  signedAt: "Signed",
  waiting: "Waiting",
  waitingNone: "None",
  waitingSome: (count: number, more: boolean) =>
    more ? `More than ${counted.format(count)} entries` : plural(count, "entry", "entries"),
  noneYet: "Nothing is sealed yet",
  noneYetText:
    "The first entries are sealed within seconds. If this stays, no instance leads: look at Instances.",
  late: "Sealing is behind",
  lateText: (since: string) =>
    `Entries have been waiting since ${since}. A transaction that runs for long holds it up, or no instance leads.`,
  lateMany: "Old entries are being sealed; until that is done, new ones wait.",
  files: "Files to take along",
  filesText: "Keep them where nobody who administers this installation can change them.",
  whole: "Evidence",
  wholeText:
    "Every sealed entry with its proof, and what is personal of it as long as it is there. The download is in the audit log.",
  one: "Last checkpoint",
  oneText: "A few lines. Held against later evidence, it shows whether the end was cut off since.",
  keys: "Public keys",
  keysText: "What the signatures are verified by.",
  download: "Download",
  downloadOf: (name: string) => `Download ${name}`,
  verify: "How to verify",
  verifyText: "On any computer with the freehold program. It asks nobody.",
  stepCommand: "With the files from above:",
  stepAnchor: "With a checkpoint that was kept from before, to find a tail that was cut off:",
  stepGuide:
    "It names each entry that was altered, inserted, deleted or moved, and ends with an error. What it proves, and what it can’t, is in policies/EVIDENCE.md.",
  checkpoints: "Checkpoints",
  checkpointsText: "Each names the one before it.",
  caption: "Checkpoints, newest first",
  number: "Number",
  count: "Entries",
  head: "The chain ends in",
  complete: "Complete before",
  emptyTitle: "No checkpoint yet",
  emptyText: "The first one comes within seconds after the first entry.",
  counted: (count: number) => counted.format(count),
};
