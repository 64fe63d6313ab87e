/**
 * The dialog that changes a key: look, confirm, progress. Where it is stands in the address, so that
 * a reload or a colleague sees the same; while a rotation of the scope goes on, its progress.
 */
import { Modal, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useRef } from "react";
import { keyRotationQuery } from "../../api/queries";
import type { DataKeys, KeyRotation } from "../../api/types";
import { useOpen } from "../../parts/filters";
import { words } from "../../words";
import { ConfirmStep } from "./confirm";
import classes from "./keys.module.css";
import { PreviewStep } from "./preview";
import { RotationProgress } from "./progress";

const said = words.keys.wizard;
const route = getRouteApi("/signed-in/platform/keys");

interface RotationDialogProps {
  inventory: DataKeys;
  /** The rotations that have not finished. */
  going: KeyRotation[];
}

interface Shown {
  id?: string;
  scope?: string;
  step: "preview" | "confirm" | "progress";
}

function useShown(going: KeyRotation[]): Shown | null {
  const { rotate, rotation, step } = route.useSearch();
  if (rotation) return { id: rotation, step: "progress" };
  if (!rotate) return null;
  const present = going.find(({ scope }) => scope === rotate);
  if (present) return { id: present.id, scope: rotate, step: "progress" };
  return { scope: rotate, step: step === "confirm" ? "confirm" : "preview" };
}

export function RotationDialog({ inventory, going }: RotationDialogProps) {
  const open = useOpen();
  const shown = useShown(going);
  // While it closes it goes on showing what it showed.
  const last = useRef<Shown | null>(null);
  if (shown) last.current = shown;
  const content = shown ?? last.current;
  const close = () => open({ rotate: undefined, step: undefined, rotation: undefined });
  const rotation = useQuery({
    ...keyRotationQuery(content?.id ?? ""),
    enabled: shown?.id !== undefined,
  });
  const scope = content?.scope ?? rotation.data?.scope;
  return (
    <Modal
      opened={shown !== null}
      onClose={close}
      title={<strong>{scope ? said.title(words.keys.scopeName(scope)) : said.titleAny}</strong>}
      size={600}
    >
      {content ? (
        <Stack gap="lg">
          <Steps step={content.step} />
          <Content content={content} inventory={inventory} onClose={close} />
        </Stack>
      ) : null}
    </Modal>
  );
}

interface ContentProps {
  content: Shown;
  inventory: DataKeys;
  onClose: () => void;
}

function Content({ content: { id, scope, step }, inventory, onClose }: ContentProps) {
  if (id) return <RotationProgress key={id} id={id} inventory={inventory} onClose={onClose} />;
  if (!scope || !inventory.scopes.includes(scope)) return <Text>{said.notScope}</Text>;
  if (step === "confirm") return <ConfirmStep scope={scope} />;
  return <PreviewStep scope={scope} onClose={onClose} />;
}

const steps = ["preview", "confirm", "progress"] as const;

function Steps({ step }: { step: Shown["step"] }) {
  const at = steps.indexOf(step);
  return (
    <ol className={classes.steps} aria-label={said.of}>
      {steps.map((name, index) => (
        <li
          key={name}
          data-reached={index <= at || undefined}
          aria-current={index === at ? "step" : undefined}
        >
          {said.steps[name]}
        </li>
      ))}
    </ol>
  );
}
