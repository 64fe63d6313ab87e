/** Whether a member has access. */
import type { Member } from "../../api/types";
import { Status } from "../../parts/badges";
import { words } from "../../words";

const said = words.members;

export function MemberStatus({ status }: { status: Member["status"] }) {
  return status === "active" ? (
    <Status tone="good">{said.active}</Status>
  ) : (
    <Status tone="bad">{said.blocked}</Status>
  );
}
