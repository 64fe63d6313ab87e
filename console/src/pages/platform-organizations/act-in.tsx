/** The dialog before acting in an organisation that one is no member of: what it means, and why. */
import { Textarea } from "@mantine/core";
import { useState } from "react";
import type { Organization } from "../../api/types";
import { useActIn } from "../../parts/acting";
import { Confirm } from "../../parts/confirm";
import { words } from "../../words";

const said = words.acting;

interface ActInDialogProps {
  organization: Organization;
  onClose: () => void;
}

export function ActInDialog({ organization, onClose }: ActInDialogProps) {
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const start = useActIn(organization);
  return (
    <Confirm
      opened
      onClose={onClose}
      title={said.title(organization.name)}
      effects={said.effects(organization.name)}
      action={said.start}
      onConfirm={() => {
        const text = reason.trim().replace(/\s+/g, " ");
        setMissing(text === "");
        if (text) start.mutate(text);
      }}
      busy={start.isPending}
      error={start.error}
      harmless
    >
      <Textarea
        label={said.reason}
        description={said.reasonHint}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={missing && !reason.trim() ? said.reasonMissing : null}
        maxLength={500}
        rows={2}
        required
        data-autofocus
      />
    </Confirm>
  );
}
