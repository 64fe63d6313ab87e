/** The sessions of a member that are in this organisation. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { memberSessionsKey, memberSessionsQuery } from "../../api/sessions";
import type { Member, Session } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { deviceName } from "../../parts/device";
import { useWhyNot } from "../../parts/permissions";
import { SessionsOf } from "../../parts/sessions";
import { words } from "../../words";
import type { Act } from "./dialogs";
import { useReasons } from "./menu";

const said = words.sessionEnds;

interface MemberSessionsProps {
  member: Member;
  onAct: (act: Act) => void;
}

export function MemberSessions({ member, onAct }: MemberSessionsProps) {
  const forbidden = useWhyNot("member_sessions_list");
  const reasons = useReasons(member);
  const query = useQuery({
    ...memberSessionsQuery(member.organization_id, member.id),
    enabled: forbidden === null,
  });
  const [ending, setEnding] = useState<Session | null>(null);
  if (forbidden) return null;
  const addresses = query.data?.items.some(({ ip }) => ip);
  return (
    <>
      <SessionsOf
        title={said.here}
        text={addresses ? said.hereText : `${said.hereText} ${said.addressText}`}
        none={said.none}
        query={query}
        endNot={reasons.session}
        endAllNot={reasons.sessions}
        onEnd={setEnding}
        onEndAll={() => onAct({ kind: "sessions", member })}
      />
      {ending ? <EndOne member={member} session={ending} onClose={() => setEnding(null)} /> : null}
    </>
  );
}

interface EndOneProps {
  member: Member;
  session: Session;
  onClose: () => void;
}

function EndOne({ member, session, onClose }: EndOneProps) {
  const { organization_id, id: member_id, name } = member;
  const params = { path: { organization_id, member_id, session_id: session.id } };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.endTitle(name),
        effects: said.endEffects(deviceName(session.user_agent)),
        action: words.account.end,
        done: said.ended,
      }}
      run={() =>
        take(
          api.DELETE(
            "/v1/organizations/{organization_id}/members/{member_id}/sessions/{session_id}",
            { params },
          ),
        )
      }
      refresh={[memberSessionsKey(organization_id, member_id)]}
    />
  );
}
