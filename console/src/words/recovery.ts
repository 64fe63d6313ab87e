/** Getting back in without the second factor: the recovery address, asking, completing, approving. */
import { plural } from "./common";

export const recovery = {
  title: "Recovery address",
  text: "Another mailbox of yours. It helps when you lose your second factor.",
  noneTitle: "You have no recovery address",
  noneText:
    "If you lose your phone and your backup codes, only an administrator can let you back in.",
  set: "Set a recovery address",
  change: "Change",
  confirmed: "Confirmed",
  changeTitle: "Set a recovery address",
  changeText:
    "It has to be another mailbox than that of your account. A link goes there; it counts once you have opened it. Your present addresses are told.",
  address: "Recovery address",
  submit: "Send the link",
  sent: (email: string) => `A link was sent to ${email}`,
  pendingTitle: "Waits to be confirmed",
  pendingText: (email: string) =>
    `Open the link that was sent to ${email}, in the browser in which you are signed in.`,
  pendingUntil: "The link works until",
  again: "Send it again",
  remove: "Remove",
  removeTitle: "Remove your recovery address?",
  removeEffects: [
    "If you lose your second factor, only an administrator can let you back in.",
    "Your addresses are told. A recovery that was asked for ends.",
  ],
  removed: "The recovery address was removed",
  openTitle: "A recovery of your account was asked for",
  open: {
    ready: "Your recovery address was sent a link that switches your second factor off.",
    waiting: "Your recovery address was sent a link that will switch your second factor off.",
    approval_required: "An administrator has to approve it first.",
  },
  openFrom: "It works from",
  openUntil: "It ends",
  notYou: "If it was not you, stop it now and change your password: somebody knows it.",
  stop: "Stop the recovery",
  stopped: "The recovery was stopped",
  linkTitle: "Recovery address",
  linkPurpose: "Show that the address is yours.",
  linkText: (email: string) =>
    `This makes the address that the link was sent to the recovery address of ${email}.`,
  linkAction: "Confirm this address",
  linkDone: "The recovery address was set",
  noTokenTitle: "There is no link here",
  noTokenText: "Open the link of the letter again, as a whole.",

  cantUse: "I can’t use my second factor",
  askTitle: "Recover your account",
  askText:
    "If you have a recovery address, it is sent a link that switches your second factor off. All your addresses are told, so that nobody does this behind your back.",
  ask: "Ask for a recovery",
  back: "Back to the code",
  readyTitle: "Look into your recovery mailbox",
  readyText: "It was sent a link. Open it to switch your second factor off. It works until",
  waitingTitle: "Your organisation wants you to wait",
  waitingText: "Your recovery mailbox was sent a link. It works from",
  waitingUntil: "and until",
  approvalTitle: "An administrator has to approve it",
  approvalText:
    "Tell an administrator of your organisation who you are. Once they have approved it, your recovery mailbox is sent a link. They can until",
  unavailableTitle: "You have no recovery address",
  unavailableText:
    "Ask an administrator of your organisation, or of this site, to switch your second factor off. They can, and will want to know that it is you.",
  tooManyTitle: "That was asked for often enough today",
  tooManyText:
    "Look for the letters in your recovery mailbox, or ask an administrator of your organisation.",

  completeTitle: "Switch your second factor off?",
  completeText:
    "Do this if you can’t use your second factor any more. All your sessions end. Then you sign in with your password alone, and set up a new one.",
  complete: "Switch it off",
  doneTitle: "Your second factor is off",
  doneText: "Sign in with your password, and set up a new second factor.",
  toSignIn: "Sign in",
  stopTitle: "Stop the recovery?",
  stopText:
    "Your second factor stays as it is, and the link in your recovery mailbox stops working. Whoever asked for the recovery knows your password: if it was not you, choose another one.",
  stopDoneTitle: "The recovery was stopped",
  stopDoneText: "Your second factor is asked for as before.",
  newPassword: "Choose a new password",

  waitingList: "Recoveries that wait for approval",
  waitingListText:
    "These people say that they have lost their second factor. Make sure that it is them, in another way than by mail, before you approve.",
  count: (number: number) => plural(number, "person waits", "people wait"),
  asked: "Asked",
  waits: "Waits until",
  person: "Person",
  acts: "Decide",
  approve: "Approve",
  refuse: "Refuse",
  approveTitle: (name: string) => `Approve the recovery of ${name}?`,
  approveEffects: (name: string) => [
    `The recovery address of ${name} is sent a link that switches the second factor off.`,
    "They still need their password. They are told your reason.",
  ],
  refuseTitle: (name: string) => `Refuse the recovery of ${name}?`,
  refuseEffects: (name: string) => [
    `Nothing is sent and nothing changes. ${name} is told your reason.`,
  ],
  reason: "Reason",
  approveHint: "How you know that it is them. It is recorded, and they are told.",
  refuseHint: "It is recorded, and they are told.",
  reasonMissing: "Say why.",
  approved: (name: string) => `The recovery of ${name} was approved`,
  refused: (name: string) => `The recovery of ${name} was refused`,
  ownNot: "Nobody decides about their own recovery.",
};
