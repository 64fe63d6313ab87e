/** How somebody stands: whether their roles give access, and when they were here last. */
import { Text } from "@mantine/core";
import type { PolicyHolder } from "../../api/types";
import { Status, type Tone } from "../../parts/badges";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { isKnown } from "./people";
import { usePolicySearch } from "./search";

const said = words.policies.holders;

export function LastSignIn({ holder }: { holder: PolicyHolder }) {
  const { as_of } = usePolicySearch();
  if (holder.type !== "person") {
    return (
      <Text inherit c="dimmed">
        {said.notApplicable}
      </Text>
    );
  }
  // A later sign-in than the moment that is shown is left out: then it is not known what was before.
  const absent = isKnown(holder) && !as_of ? words.common.never : said.notKnown;
  return <Time value={holder.last_sign_in_at} absent={absent} />;
}

/** What somebody can prove beside the password, as far as that is known of the moment that is shown. */
export function SecondFactors({ holder }: { holder: PolicyHolder }) {
  const { second_factors: methods, type } = holder;
  if (methods === undefined) {
    return (
      <Text inherit c="dimmed">
        {type === "person" ? said.notKnown : said.notApplicable}
      </Text>
    );
  }
  if (methods.length === 0) return <Status tone="quiet">{said.noFactor}</Status>;
  return methods.map((method) => words.adoption.methods[method] ?? method).join(", ");
}

const tones: Record<string, Tone> = { active: "good", blocked: "bad", disabled: "quiet" };

export function HolderStatus({ status }: { status: string }) {
  return <Status tone={tones[status] ?? "quiet"}>{said.statuses[status] ?? status}</Status>;
}
