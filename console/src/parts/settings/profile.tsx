/** Fills in the rules for passwords by one of the built-in profiles. A profile is nothing but values. */
import { Select, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { passwordProfilesQuery } from "../../api/queries";
import type { PasswordProfile } from "../../api/types";
import { words } from "../../words";
import type { Draft } from "./draft";
import classes from "./settings.module.css";
import { isDemand, isNumber, type Setting, type Value } from "./values";

const said = words.security;
const section = "passwords";

interface ProfilePickerProps {
  fields: Record<string, Setting>;
  draft: Draft;
  onPlatform: boolean;
  readOnly: boolean;
}

/** What holds where nothing is set here. */
function inherited(setting: Setting, onPlatform: boolean): Value {
  const value = onPlatform ? setting.default : setting.platform;
  return (value as Value | undefined) ?? null;
}

/** Whether a value may be set here, where it must not be laxer than what is above. */
function possible(setting: Setting, value: Value | undefined): boolean {
  if (isNumber(setting)) {
    return typeof value === "number" && value >= setting.minimum && value <= setting.maximum;
  }
  return !isDemand(setting) || value === true || !setting.demanded;
}

function valuesOf(profile: PasswordProfile): Record<string, Value> {
  return profile.rules as unknown as Record<string, Value>;
}

export function ProfilePicker({ fields, draft, onPlatform, readOnly }: ProfilePickerProps) {
  const id = useId();
  const profiles = useQuery(passwordProfilesQuery).data ?? [];
  const all = Object.entries(fields);
  const reachable = (profile: PasswordProfile) =>
    all.every(([field, setting]) => possible(setting, valuesOf(profile)[field]));
  const holds = (profile: PasswordProfile) =>
    all.every(([field, setting]) => {
      const wanted = draft.value(section, field, setting) ?? inherited(setting, onPlatform);
      return wanted === valuesOf(profile)[field];
    });
  const present = profiles.find(holds);
  const take = (name: string | null) => {
    const chosen = profiles.find((profile) => profile.name === name);
    if (!chosen) return;
    for (const [field, setting] of all) {
      const value = valuesOf(chosen)[field] ?? null;
      const same = value === inherited(setting, onPlatform);
      draft.change(section, field, setting, same ? null : value);
    }
  };
  const title = (profile: PasswordProfile) =>
    reachable(profile) ? profile.title : `${profile.title} (${said.profileLaxer})`;
  const custom = { value: "custom", label: said.profileCustom, disabled: true };
  return (
    <div className={classes.row}>
      <div>
        <label className={classes.label} htmlFor={id}>
          {said.profile}
        </label>
        <Text size="sm" c="dimmed" id={`${id}-about`}>
          {present?.description ?? said.profileHint}
        </Text>
      </div>
      <div className={classes.control}>
        <Select
          id={id}
          aria-describedby={`${id}-about`}
          data={[
            ...profiles.map((profile) => ({
              value: profile.name,
              label: title(profile),
              disabled: !reachable(profile),
            })),
            ...(present ? [] : [custom]),
          ]}
          value={present?.name ?? "custom"}
          allowDeselect={false}
          readOnly={readOnly}
          onChange={take}
        />
      </div>
    </div>
  );
}
