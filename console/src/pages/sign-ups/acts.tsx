/** What an administrator can do about somebody who waits. */
import { TextInput } from "@mantine/core";
import { IconUserCheck, IconUserX } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { SignUpRequest } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { check } from "../../parts/forms";
import { tell } from "../../parts/notify";
import { GuardedItem, RowMenu, useOrganization, useWhyNot } from "../../parts/permissions";
import { words } from "../../words";

const said = words.signUps;

export interface Act {
  kind: "approve" | "reject";
  request: SignUpRequest;
}

interface MenuProps {
  request: SignUpRequest;
  onAct: (act: Act) => void;
}

export function RequestMenu({ request, onAct }: MenuProps) {
  const approve = useWhyNot("sign_up_requests_approve");
  const reject = useWhyNot("sign_up_requests_reject");
  const decided = request.status === "pending" ? null : said.decidedAlready;
  return (
    <RowMenu name={request.name}>
      <GuardedItem
        reason={approve ?? decided}
        leftSection={<IconUserCheck size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "approve", request })}
      >
        {said.approve}
      </GuardedItem>
      <GuardedItem
        reason={reject ?? decided}
        color="red"
        leftSection={<IconUserX size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "reject", request })}
      >
        {said.reject}
      </GuardedItem>
    </RowMenu>
  );
}

interface DialogProps {
  act: Act | null;
  onClose: () => void;
}

export function RequestDialog({ act, onClose }: DialogProps) {
  if (!act) return null;
  return <Dialog key={`${act.kind} ${act.request.id}`} act={act} onClose={onClose} />;
}

function useWords({ kind, request: { name, email } }: Act) {
  const organization = useOrganization();
  if (kind === "reject") {
    return {
      title: said.rejectTitle(name),
      effects: said.rejectEffects(name, email),
      action: said.reject,
      done: said.rejected(name),
    };
  }
  return {
    title: said.approveTitle(name),
    effects:
      organization.kind === "platform"
        ? said.approvePlatformEffects(name, email)
        : said.approveEffects(name, email, organization.name),
    action: said.approve,
    done: said.approved(name),
  };
}

function Dialog({ act, onClose }: { act: Act; onClose: () => void }) {
  const client = useQueryClient();
  const text = useWords(act);
  const [reason, setReason] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const { organization_id, id: sign_up_request_id } = act.request;
  const params = { path: { organization_id, sign_up_request_id } };
  const path = "/v1/organizations/{organization_id}/sign-up-requests/{sign_up_request_id}";
  const run = useMutation({
    mutationFn: () =>
      act.kind === "approve"
        ? take(api.POST(`${path}/approve`, { params }))
        : take(api.POST(`${path}/reject`, { params, body: { reason: reason.trim() } })),
    onSuccess: () => {
      tell(text.done);
      onClose();
    },
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.signUps(organization_id) }),
        client.invalidateQueries({ queryKey: keys.members(organization_id) }),
      ]),
  });
  const confirm = () => {
    const wrong =
      act.kind === "reject" ? (reason.trim() ? check.noLink(reason) : said.reasonMissing) : null;
    setFault(wrong);
    if (!wrong) run.mutate();
  };
  return (
    <Confirm
      opened
      onClose={onClose}
      title={text.title}
      effects={text.effects}
      action={text.action}
      onConfirm={confirm}
      busy={run.isPending}
      error={run.error}
      harmless={act.kind === "approve"}
    >
      {act.kind === "reject" ? (
        <TextInput
          label={said.reason}
          description={said.reasonHint}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          error={fault}
          maxLength={500}
          required
          data-autofocus
        />
      ) : null}
    </Confirm>
  );
}
