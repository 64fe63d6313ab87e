/** A member's profile as a form: what the viewer may change, and the rest to read. */
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Problem } from "../../api/problem";
import { keys } from "../../api/queries";
import type { MemberProfile, ProfileChanges } from "../../api/types";
import { words } from "../../words";
import { check, useProblems } from "../forms";
import { tell, tellStale } from "../notify";
import { type Held, held, ProfileInput, wantedOf } from "./field";

const said = words.profile;

type Values = Record<string, Held>;

interface ProfileFormProps {
  profile: MemberProfile;
  save: (changes: ProfileChanges, profile: MemberProfile) => Promise<MemberProfile>;
}

function valuesOf({ fields }: MemberProfile): Values {
  return Object.fromEntries(fields.map(({ key, value }) => [key, held(value)]));
}

export function ProfileForm({ profile, save }: ProfileFormProps) {
  const client = useQueryClient();
  const { fields } = profile;
  const form = useForm<Values>({
    initialValues: valuesOf(profile),
    validate: (values) => requiredOf(profile, values),
  });
  const { setValues, resetDirty } = form;
  // Somebody else's change, or our own saved one, becomes the form's new starting point.
  useEffect(() => {
    const values = valuesOf(profile);
    setValues(values);
    resetDirty(values);
  }, [profile, setValues, resetDirty]);
  const problems = useProblems(form);
  const update = useMutation({
    mutationFn: async (values: Values) => {
      const changed = fields.filter(({ key, editable }) => editable && form.isDirty(key));
      const attributes = Object.fromEntries(
        changed.map(({ key, type }) => [key, wantedOf(type, values[key] ?? "")]),
      );
      try {
        const saved = await save({ attributes }, profile);
        client.setQueriesData<MemberProfile>(
          {
            queryKey: keys.profiles(profile.organization_id),
            predicate: ({ state }) =>
              (state.data as MemberProfile | undefined)?.member_id === profile.member_id,
          },
          saved,
        );
        tell(said.saved);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "precondition_failed") {
          throw unnested(error);
        }
        tellStale();
      }
      await client.invalidateQueries({ queryKey: keys.profiles(profile.organization_id) });
    },
  });
  const editable = fields.some((field) => field.editable);
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => update.mutateAsync(values)))}
    >
      <Stack gap="md">
        {profile.missing.length > 0 ? (
          <Alert color="yellow" variant="light" role="status">
            <Text>{said.missing(profile.missing.length)}</Text>
          </Alert>
        ) : null}
        {fields.map((field) => (
          <ProfileInput key={field.attribute_id} field={field} {...form.getInputProps(field.key)} />
        ))}
        {problems.alert}
        {editable ? (
          <Group>
            <Button type="submit" loading={update.isPending} disabled={!form.isDirty()}>
              {said.save}
            </Button>
          </Group>
        ) : null}
      </Stack>
    </form>
  );
}

function requiredOf({ fields }: MemberProfile, values: Values) {
  const asked = fields.filter(({ required, editable }) => required && editable);
  return Object.fromEntries(asked.map(({ key }) => [key, check.required(String(values[key]))]));
}

/** Faults name `attributes.desk` of the request; the form has the field `desk`. */
function unnested(error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  const errors = error.faults.map(({ field, code, detail }) => ({
    code,
    detail,
    pointer: field === null ? undefined : `/${field.replace(/^attributes\./, "")}`,
  }));
  return new Problem({
    code: error.code,
    status: error.status,
    title: error.title,
    detail: error.detail ?? undefined,
    request_id: error.requestId ?? undefined,
    errors,
  });
}
