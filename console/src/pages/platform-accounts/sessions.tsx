/** Every session of an account, in whatever organisation it is. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { accountSessionsKey, accountSessionsQuery } from "../../api/sessions";
import type { PlatformAccount, Session } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { deviceName } from "../../parts/device";
import { useWhyNot } from "../../parts/permissions";
import { SessionsOf } from "../../parts/sessions";
import { words } from "../../words";
import { type Act, nameOf } from "./acts";

const said = words.sessionEnds;

interface AccountSessionsProps {
  account: PlatformAccount;
  onAct: (act: Act) => void;
}

export function AccountSessions({ account, onAct }: AccountSessionsProps) {
  const query = useQuery(accountSessionsQuery(account.id));
  const endNot = useWhyNot("accounts_session_end");
  const endAllNot = useWhyNot("accounts_sessions_end");
  const [ending, setEnding] = useState<Session | null>(null);
  const name = nameOf(account);
  const params = { path: { account_id: account.id, session_id: ending?.id ?? "" } };
  return (
    <>
      <SessionsOf
        title={said.all}
        none={said.noneAtAll}
        query={query}
        endNot={endNot}
        endAllNot={endAllNot}
        onEnd={setEnding}
        onEndAll={() => onAct({ kind: "sessions", account })}
      />
      {ending ? (
        <ActDialog
          onClose={() => setEnding(null)}
          text={{
            title: said.endTitle(name),
            effects: said.endEffects(deviceName(ending.user_agent)),
            action: words.account.end,
            done: said.ended,
          }}
          run={() =>
            take(api.DELETE("/v1/accounts/{account_id}/sessions/{session_id}", { params }))
          }
          refresh={[accountSessionsKey(account.id)]}
        />
      ) : null}
    </>
  );
}
