/**
 * The dialog before one call that changes something: says what will happen, sends it, tells that it
 * is done, and has read again what it touched. What was changed by someone else meanwhile is told too.
 */
import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Problem } from "../api/problem";
import { Confirm } from "./confirm";
import { tell, tellStale } from "./notify";

export interface ActWords {
  title: string;
  effects: readonly string[];
  /** The verb on the button. */
  action: string;
  /** Said when it is done; nothing when the page that follows says enough. */
  done?: string;
}

interface ActDialogProps {
  text: ActWords;
  run: () => Promise<unknown>;
  onClose: () => void;
  /** Where to go when it is done. */
  onDone?: () => Promise<void>;
  /** What is read again, also after a refusal: what stands in the way is to be seen. */
  refresh?: readonly QueryKey[];
  /** Whether the further fields are filled in; marks what is missing. */
  check?: () => boolean;
  typed?: string;
  harmless?: boolean;
  /** Further fields; also of what stood in the way. */
  children?: ReactNode | ((error: unknown) => ReactNode);
}

export function ActDialog(props: ActDialogProps) {
  const { text, run, onClose, onDone, refresh = [], check, typed, harmless, children } = props;
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: run,
    onSuccess: async () => {
      if (text.done) tell(text.done);
      onClose();
      await onDone?.();
    },
    onError: (error) => {
      if (!(error instanceof Problem) || error.code !== "precondition_failed") return;
      tellStale();
      onClose();
    },
    onSettled: () => Promise.all(refresh.map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
  return (
    <Confirm
      opened
      onClose={onClose}
      title={text.title}
      effects={text.effects}
      action={text.action}
      onConfirm={() => {
        if (check?.() ?? true) act.mutate();
      }}
      busy={act.isPending}
      error={act.error}
      typed={typed}
      harmless={harmless}
    >
      {typeof children === "function" ? children(act.error) : children}
    </Confirm>
  );
}
