/** What to say for each problem code of the API. Codes that are missing use the server's own words. */
const byCode: Record<string, { title: string; text: string }> = {
  no_answer: {
    title: "The server did not answer",
    text: "Check your connection, then try again. It is safe to repeat.",
  },
  invalid_credentials: {
    title: "E-mail or password is wrong",
    text: "Check both and try again.",
  },
  wrong_password: {
    title: "The password is wrong",
    text: "This is not your present password.",
  },
  wrong_code: {
    title: "The code is wrong",
    text: "It is too old, or was used before. Enter the one that is shown now.",
  },
  second_factor_required: {
    title: "Your second factor is needed",
    text: "It was set up meanwhile. Reload the page and try again.",
  },
  wrong_passkey: {
    title: "This passkey was not accepted",
    text: "It is not yours here, or was not confirmed in time. Try again, or another way.",
  },
  passkey_not_accepted: {
    title: "This passkey does not sign in here",
    text: "It may have been removed from your account. Sign in with your password.",
  },
  passkey_ceremony_not_valid: {
    title: "That took too long",
    text: "Begin again.",
  },
  passkeys_unavailable: {
    title: "There are no passkeys here",
    text: "This server is reached by an address in the place of a name, or without https.",
  },
  passkey_known: {
    title: "This passkey is known already",
    text: "Look for it in the list.",
  },
  too_many_passkeys: {
    title: "You have twenty passkeys",
    text: "Remove one that you don't use first.",
  },
  challenge_not_valid: {
    title: "This sign-in has ended",
    text: "Start over with your password.",
  },
  mfa_enrolment_required: {
    title: "Your role needs a second factor",
    text: "Set one up first; everything else opens then. Reload the page to begin.",
  },
  mfa_required: {
    title: "Your role needs a second factor",
    text: "This session began without yours. Reload the page to prove it.",
  },
  second_factor_enrolled: {
    title: "You have an authenticator app already",
    text: "Remove it first.",
  },
  password_reset_not_valid: {
    title: "This link no longer works",
    text: "It was used, its time is over, or a newer one was sent. Ask for a new one.",
  },
  too_many_requests: {
    title: "Too many in a short time",
    text: "Wait a little before you try again.",
  },
  blocked_by_platform: {
    title: "Someone else blocked this account",
    text: "Only those who blocked it can unblock it. Ask a platform admin.",
  },
  reauthentication_required: {
    title: "Confirm that it is you",
    text: "This needs a fresh proof of who you are. Try again and enter your password.",
  },
  cancelled: { title: "Cancelled", text: "Nothing was done." },
  acting_ended: {
    title: "Your access has ended",
    text: "You act in this organisation no more. Start again from the platform's organisations.",
  },
  already_acting: {
    title: "You act in an organisation already",
    text: "Stop that first, perhaps in another tab.",
  },
  role_above_own: {
    title: "That role is above your own",
    text: "You can give roles up to your own, and change people up to your own role.",
  },
  last_owner: {
    title: "An organisation needs an owner",
    text: "This is the last owner. Make someone else an owner first.",
  },
  only_owner: {
    title: "Somebody has to stay at the top",
    text: "This person is the only owner of an organisation. Make someone else an owner there first.",
  },
  account_erased: {
    title: "This person has been erased",
    text: "Nothing can be done with what is left of the account.",
  },
  already_member: {
    title: "Already a member",
    text: "This person is a member of the organisation already.",
  },
  already_invited: {
    title: "Already invited",
    text: "This person has a pending invitation. Send that one again, or revoke it first.",
  },
  own_role: {
    title: "Nobody raises their own role",
    text: "Ask someone with that role to give it to you.",
  },
  domain_not_allowed: {
    title: "This domain is not allowed",
    text: "The organisation's settings admit only people with addresses of certain domains.",
  },
  sign_in_again: {
    title: "Sign in again",
    text: "This organisation asks for a newer sign-in. Sign in, and go on where you were.",
  },
  slug_taken: {
    title: "This short name is taken",
    text: "Another organisation has this short name. Choose another.",
  },
  too_many_imports: {
    title: "Three imports have not ended yet",
    text: "Finish or cancel one of them first.",
  },
  import_state: {
    title: "The import has moved on",
    text: "It is at another step than it was. Look at it again.",
  },
  alert_state: {
    title: "Somebody was quicker",
    text: "The alert is in another state than it was. Look at it again.",
  },
  alert_open_already: {
    title: "There is a newer alert",
    text: "An alert about the same is open already. Acknowledge that one first.",
  },
  alert_rule_name_taken: {
    title: "The name is taken",
    text: "Another rule has this name. Choose another.",
  },
  too_many_alert_rules: {
    title: "Too many rules",
    text: "An organisation has at most 50 alert rules of its own. Delete one that nobody needs first.",
  },
  event_type_differs: {
    title: "The event is declared otherwise",
    text: "How long entries are kept and what they happen to never changes. Use another code.",
  },
  too_many_event_types: {
    title: "Too many event types",
    text: "An organisation's product declares at most 200 types of event.",
  },
  critical_alert_stays: {
    title: "This can't be muted",
    text: "Critical alerts of the installation, and alerts about alerts, can't be muted.",
  },
  custom_role_name_taken: {
    title: "The name is taken",
    text: "Another role has this name. Choose another.",
  },
  too_many_custom_roles: {
    title: "Too many roles",
    text: "An organisation has at most 100 roles of its own. Delete one that nobody needs first.",
  },
  custom_role_held: {
    title: "Somebody holds this role",
    text: "Take it from them first.",
  },
  team_name_taken: {
    title: "This name is taken",
    text: "Another team has this name. Choose another.",
  },
  service_account_name_taken: {
    title: "This name is taken",
    text: "Another service account has this name. Choose another.",
  },
  too_many_service_accounts: {
    title: "That is the most service accounts there can be",
    text: "An organisation has at most 100 service accounts. Delete one that is not needed.",
  },
  too_many_api_keys: {
    title: "That is the most keys there can be",
    text: "A service account has at most 10 keys. Revoke one that is not needed.",
  },
  attribute_key_taken: {
    title: "This key is taken",
    text: "Another attribute has this key. Choose another.",
  },
  too_many_attributes: {
    title: "That is the most attributes there can be",
    text: "An organisation has at most 50 profile attributes. Delete one that is not needed.",
  },
  attribute_in_use: {
    title: "Members have values of this attribute",
    text: "Encryption and search can't be changed, and the attribute can't be deleted, while members have values. Archive it and add another, or clear the values first.",
  },
  attribute_not_editable: {
    title: "A field is not yours to change",
    text: "Who may change it has been changed meanwhile. Reload the page and look again.",
  },
  too_many_teams: {
    title: "That is the most teams there can be",
    text: "An organisation has at most 500 teams. Delete one that is not needed.",
  },
  invitation_not_valid: {
    title: "This invitation no longer works",
    text: "It may have been used, revoked or replaced by a newer one, or its time is over. Ask for a new invitation.",
  },
  invitation_account_mismatch: {
    title: "This invitation is for someone else",
    text: "You are signed in with another e-mail address than the invited one.",
  },
  sign_up_not_valid: {
    title: "This sign-up link no longer works",
    text: "It may have been used, or its time is over, or people can't sign up any more. Sign up again, or sign in if you have an account.",
  },
  sign_up_by_invitation: {
    title: "People join by invitation here",
    text: "Ask an administrator of your organisation to invite you.",
  },
  sign_up_decided: {
    title: "Decided already",
    text: "Someone else has decided, or the time for it is over.",
  },
  recovery_not_valid: {
    title: "This recovery is not open any more",
    text: "It was completed, stopped or replaced by another, or its time is over. Sign in to ask again.",
  },
  recovery_waits: {
    title: "This link does not work yet",
    text: "The letter says from when on it does. Open it again then.",
  },
  recovery_unavailable: {
    title: "There is no recovery address",
    text: "Ask an administrator of your organisation to switch your second factor off.",
  },
  own_recovery: {
    title: "Nobody approves their own recovery",
    text: "Ask another administrator.",
  },
  email_link_not_valid: {
    title: "This link does not work here",
    text: "It may have been used or replaced, or its time is over. It works only while you are signed in to the account that asked for it.",
  },
  email_taken: {
    title: "This address belongs to another account",
    text: "Choose another address, or sign in with the account that has it.",
  },
  email_verified: {
    title: "Confirmed already",
    text: "Your address has been confirmed already.",
  },
  way_not_allowed: {
    title: "This way to sign in is switched off here",
    text: "Sign in another way.",
  },
  setup_not_available: {
    title: "This setup link no longer works",
    text: "Freehold is set up already, or a newer link was made.",
  },
  precondition_failed: {
    title: "Changed by someone else",
    text: "Someone else changed this meanwhile. It was reloaded; look again, then repeat your change.",
  },
  idempotency_answer_lost: {
    title: "It was done already",
    text: "An earlier try went through, though its answer got lost. Reload the page, or sign in.",
  },
  idempotency_in_progress: {
    title: "Still at work",
    text: "The earlier try is still running. Wait a moment, then try again.",
  },
  key_in_use: {
    title: "This key is still needed",
    text: "Only a retired key that nothing is under can be destroyed. Look again; it may have changed.",
  },
  operation_in_progress: {
    title: "Already under way",
    text: "The same is being done right now, perhaps by someone else. Wait until it is done, then look again.",
  },
  conflict: {
    title: "This can't be done now",
    text: "The present state stands against it. Reload the page and look again.",
  },
  organization_not_active: {
    title: "Another organisation is active",
    text: "You switched organisation, perhaps in another tab.",
  },
  forbidden: { title: "Not allowed", text: "Your role does not allow this." },
  unauthenticated: { title: "Signed out", text: "Sign in to go on." },
  session_ended: { title: "Signed out", text: "Your session has ended. Sign in to go on." },
  invalid_request: {
    title: "Please check your entries",
    text: "Something is not as it should be.",
  },
  password_policy: { title: "Choose a stronger password", text: "See what it still needs." },
  internal: {
    title: "The server had an error",
    text: "It was recorded. Try again; if it stays, give the request number to your operator.",
  },
  unavailable: { title: "The server is busy", text: "Try again in a moment." },
};

export const problems = {
  byCode,
  requestId: "Request",
  unexpected: "Something went wrong",
  retryIn: (seconds: number) =>
    `Try again in ${seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`}.`,
  crashTitle: "This page broke",
  crashText: "An error in the console stopped this page. Nothing you saved is lost.",
  reload: "Reload the page",
  listFailed: "This could not be loaded",
  forbiddenTitle: "You can't see this page",
  forbidden: (role: string) =>
    `It needs the role ${role} or above in this organisation. Ask one of its admins.`,
  forbiddenPlatform: "It is for platform admins, working in the platform's own organisation.",
  yourRole: (role: string) => `Your role here: ${role}.`,
  notFoundTitle: "There is nothing at this address",
  notFoundText: "It may have been removed, or the link is incomplete.",
  home: "Go to the overview",
};
