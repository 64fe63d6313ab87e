/** Teams. */
import { plural } from "./common";

const people = (count: number) => plural(count, "member", "members");

export const teams = {
  title: "Teams",
  purpose: "Members together. A team can give each of them a role beside their own.",
  create: "Create team",
  team: "Team",
  gives: "Gives",
  members: "Members",
  changed: "Changed",
  created: "Created",
  description: "Description",
  noDescription: "None",
  id: "Team ID",
  caption: "Teams of the organisation",
  searchLabel: "Search by the beginning of the name",
  noRole: "No role",
  noRoleText: "It only brings people together.",
  memberCount: people,
  emptyTitle: "No teams yet",
  emptyText:
    "A team brings people together, and can give all of them a role: who is put in gets it, who is taken out loses it again. Begin with one, such as Support or Night shift.",
  aboveOwn: "This team gives a role above your own.",
  createTitle: "Create a team",
  editTitle: (name: string) => `Edit ${name}`,
  name: "Name",
  role: "Role it gives",
  roleHint:
    "Every member of the team can do at least this. Owners are made one by one, never by a team.",
  roleEffect: (count: number) =>
    `The other role holds for ${count === 1 ? "the team's member" : `all ${people(count)}`} from the next request on.`,
  edit: "Edit",
  createdDone: (name: string) => `The team ${name} was created`,
  saved: (name: string) => `The team ${name} was changed`,
  delete: "Delete",
  deleteTitle: (name: string) => `Delete the team ${name}?`,
  deleteEmpty: "Nobody is in it, so nobody loses anything.",
  deleteStay: (count: number, organization: string) =>
    `Its ${count === 1 ? "member stays" : `${people(count)} stay`} in ${organization}.`,
  deleteNobody: "Nobody's rights change.",
  deleteLooking: "Looking up who loses something…",
  becomes: (name: string, before: string, after: string) =>
    `${name} is no longer ${before}, only ${after}.`,
  moreLose: (count: number) =>
    `So do ${count.toLocaleString()} more, who have the role by this team.`,
  perhapsMore:
    "There are more members than can be listed here; who has the role only by this team loses it.",
  deleteInvitations: "Open invitations no longer name it. There is no way back.",
  deleteDo: "Delete team",
  deleted: (name: string) => `The team ${name} was deleted`,
  nobody: "Nobody is in this team yet.",
  add: "Add",
  addLabel: "Add a member",
  addHint: "Add a member: name or e-mail",
  addNothing: "No other member matches",
  added: (name: string, team: string) => `${name} is in ${team} now`,
  more: "Show more",
  removeOne: (name: string, team: string) => `Remove ${name} from ${team}`,
  removeTitle: (name: string, team: string) => `Remove ${name} from ${team}?`,
  removeKeeps: (name: string, role: string) => `${name} stays ${role}.`,
  removeStays: (name: string, organization: string) => `${name} stays a member of ${organization}.`,
  removeDo: "Remove from team",
  removed: (name: string, team: string) => `${name} is no longer in ${team}`,
  byTeam: (role: string) => `${role} by team`,
  effective: "In effect",
  none: "In no team",
  invite: "Teams",
  inviteHint: "Optional. They are in these teams from the first moment.",
  inviteTooMany: "At most 50 teams.",
};
