/** What an attribute is declared as, with the field as people will see it beside. */
import {
  Button,
  Fieldset,
  Group,
  Select,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
} from "@mantine/core";
import { type UseFormReturnType, useForm } from "@mantine/form";
import { useState } from "react";
import type { Attribute } from "../../api/types";
import { CopyId, Field, Fields } from "../../parts/details";
import { choicesOf } from "../../parts/filters";
import { check, useProblems } from "../../parts/forms";
import { type Held, ProfileInput } from "../../parts/profile/field";
import { words } from "../../words";

const said = words.attributes;

export interface Values extends Record<string, unknown> {
  key: string;
  label: string;
  description: string;
  type: Attribute["type"];
  options: string[];
  required: boolean;
  visible_to: Attribute["visible_to"];
  editable_by: Attribute["editable_by"];
  sealed_in: string;
  searchable: boolean;
}

interface AttributeFormProps {
  initial: Values;
  /** The attribute that is edited: its key and type stay. */
  fixed?: Attribute;
  /** Why nothing can be changed; null when it can. */
  readOnly?: string | null;
  scopes: string[];
  action: string;
  busy: boolean;
  onSubmit: (values: Values) => Promise<unknown>;
  onClose: () => void;
}

export function AttributeForm(props: AttributeFormProps) {
  const { initial, fixed, readOnly = null, scopes, action, busy, onSubmit, onClose } = props;
  const form = useForm<Values>({ initialValues: { ...pick(initial) }, validate });
  const [keyTouched, setKeyTouched] = useState(fixed !== undefined);
  const problems = useProblems(form, { attribute_key_taken: "key" });
  const { values } = form;
  const off = readOnly !== null;
  const countable = values.sealed_in !== "" && ["boolean", "choice"].includes(values.type);
  const label = form.getInputProps("label");
  const audience = (name: "visible_to" | "editable_by", title: string, description?: string) => (
    <Select
      label={title}
      description={description}
      data={choicesOf(said.audiences)}
      allowDeselect={false}
      readOnly={off}
      {...form.getInputProps(name)}
    />
  );
  const submit = async (sent: Values) => {
    await onSubmit({ ...sent, searchable: sent.searchable && !countable });
  };
  return (
    <form noValidate onSubmit={form.onSubmit((sent) => problems.wrap(() => submit(sent)))}>
      <Stack gap="md">
        {readOnly ? <Text c="dimmed">{readOnly}</Text> : null}
        <TextInput
          label={said.label}
          description={said.labelHint}
          maxLength={100}
          autoComplete="off"
          readOnly={off}
          required
          data-autofocus
          {...label}
          onChange={(event) => {
            label.onChange(event);
            if (!keyTouched) form.setFieldValue("key", keyOf(event.currentTarget.value));
          }}
        />
        {fixed ? (
          <Fields>
            <Field name={said.key}>
              <CopyId value={fixed.key} label={said.key} />
            </Field>
            <Field name={said.type}>{said.types[fixed.type]}</Field>
          </Fields>
        ) : (
          <NewOnly form={form} onTouch={() => setKeyTouched(true)} />
        )}
        {values.type === "choice" ? (
          <TagsInput
            label={said.options}
            description={said.optionsHint}
            maxTags={100}
            readOnly={off}
            required
            {...form.getInputProps("options")}
          />
        ) : null}
        <TextInput
          label={said.description}
          description={said.descriptionHint}
          maxLength={500}
          autoComplete="off"
          readOnly={off}
          {...form.getInputProps("description")}
        />
        <Switch
          label={said.required}
          description={said.requiredHint}
          disabled={off}
          {...form.getInputProps("required", { type: "checkbox" })}
        />
        {audience("visible_to", said.visibleTo, said.audienceNote)}
        {audience("editable_by", said.editableBy)}
        <Select
          label={said.sealedIn}
          description={said.sealedInHint}
          data={[
            { value: "", label: said.unsealed },
            ...scopes.map((scope) => ({
              value: scope,
              label: said.scopes[scope] ?? said.scope(scope),
            })),
          ]}
          allowDeselect={false}
          readOnly={off}
          {...form.getInputProps("sealed_in")}
        />
        <Switch
          label={said.searchable}
          description={countable ? said.countable : said.searchableHint}
          disabled={off || countable}
          {...form.getInputProps("searchable", { type: "checkbox" })}
          checked={values.searchable && !countable}
        />
        <Preview key={values.type} values={values} />
        {problems.alert}
        {off ? null : (
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {words.common.cancel}
            </Button>
            <Button type="submit" loading={busy}>
              {action}
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}

interface NewOnlyProps {
  form: Pick<UseFormReturnType<Values>, "getInputProps" | "values">;
  onTouch: () => void;
}

/** What can only be said once. */
function NewOnly({ form, onTouch }: NewOnlyProps) {
  const key = form.getInputProps("key");
  return (
    <>
      <TextInput
        label={said.key}
        description={said.keyHint}
        maxLength={48}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        required
        {...key}
        onChange={(event) => {
          onTouch();
          key.onChange(event);
        }}
      />
      <div>
        <Select
          label={said.type}
          description={said.typeFixed}
          data={choicesOf(said.types)}
          allowDeselect={false}
          {...form.getInputProps("type")}
        />
        <Text size="xs" c="dimmed" mt={4} role="status">
          {said.typeHints[form.values.type]}
        </Text>
      </div>
    </>
  );
}

function Preview({ values }: { values: Values }) {
  const [value, setValue] = useState<Held>("");
  const { label, description, type, options, required, sealed_in } = values;
  return (
    <Fieldset legend={said.preview}>
      <Stack gap="xs">
        <Text size="xs" c="dimmed">
          {said.previewText}
        </Text>
        <ProfileInput
          field={{
            label: label.trim() || said.previewLabel,
            description: description.trim() || undefined,
            type,
            options,
            required,
            sealed_in: sealed_in || undefined,
            editable: true,
          }}
          value={value}
          onChange={setValue}
        />
      </Stack>
    </Fieldset>
  );
}

function pick(values: Values): Values {
  const { key, label, description, type, options, required } = values;
  const { visible_to, editable_by, sealed_in, searchable } = values;
  return {
    key,
    label,
    description,
    type,
    options,
    required,
    visible_to,
    editable_by,
    sealed_in,
    searchable,
  };
}

/** A key made of a label: "Cost centre" is `cost_centre`. */
function keyOf(label: string): string {
  const plain = label.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const words = plain.replace(/[^a-z0-9]+/g, "_").replace(/^[_0-9]+|_+$/g, "");
  return words.slice(0, 48);
}

/** Whom each audience names besides admins. */
const named: Record<Attribute["visible_to"], string[]> = {
  admins: [],
  managers: ["managers"],
  person_and_admins: ["person"],
  person_and_managers: ["person", "managers"],
};

function validate(values: Values) {
  const hidden = named[values.editable_by].some((who) => !named[values.visible_to].includes(who));
  return {
    label: check.required(values.label),
    key: /^[a-z][a-z0-9_]*$/.test(values.key) ? null : said.keyWrong,
    options: values.type === "choice" && values.options.length === 0 ? said.optionsMissing : null,
    editable_by: hidden ? said.notVisible : null,
  };
}
