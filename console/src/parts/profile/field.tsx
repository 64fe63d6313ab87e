/** One field of a profile, in the control that fits its type. */
import { NumberInput, Select, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import type { ProfileField } from "../../api/types";
import { words } from "../../words";
import classes from "./profile.module.css";
import { SealedBadge } from "./sealed";

const said = words.profile;

/** What a control holds: nothing is an empty text. */
export type Held = string | number;

export type Shape = Pick<
  ProfileField,
  "label" | "description" | "type" | "options" | "required" | "sealed_in" | "editable"
> & { editable_by?: ProfileField["editable_by"] };

/** What a control holds for a value. */
export function held(value: ProfileField["value"]): Held {
  if (value === undefined || value === null) return "";
  return typeof value === "boolean" ? String(value) : value;
}

/** The value for what a control holds; null takes it away. */
export function wantedOf(type: Shape["type"], now: Held): string | number | boolean | null {
  if (now === "") return null;
  if (type === "boolean") return now === "true";
  if (type === "number") return Number(now);
  return String(now).trim() || null;
}

interface FieldProps {
  field: Shape;
  value?: Held;
  onChange: (value: Held) => void;
  onBlur?: () => void;
  error?: ReactNode;
}

export function ProfileInput({ field, value = "", onChange, ...props }: FieldProps) {
  const { type, editable, editable_by } = field;
  const whyNot = editable || !editable_by ? undefined : said.changedBy[editable_by];
  const description = [field.description, whyNot].filter(Boolean).join(" ") || undefined;
  const common = {
    ...props,
    label: <Label field={field} />,
    description,
    withAsterisk: field.required,
    required: field.required && editable,
    readOnly: !editable,
    variant: editable ? undefined : "filled",
    autoComplete: "off",
  };
  if (type === "boolean" || type === "choice") {
    const data = type === "boolean" ? yesOrNo : options(field.options, value);
    return (
      <Select
        {...common}
        data={data}
        value={value === "" ? null : String(value)}
        onChange={(next) => onChange(next ?? "")}
        placeholder={said.notSaid}
        searchable={data.length > 8}
        clearable={editable && !field.required}
        clearButtonProps={{ "aria-label": said.clear(field.label) }}
        nothingFoundMessage={words.shell.findNothing}
      />
    );
  }
  if (type === "number") {
    return (
      <NumberInput
        {...common}
        value={value}
        onChange={onChange}
        decimalScale={9}
        hideControls={!editable}
        stepHoldDelay={500}
        stepHoldInterval={100}
      />
    );
  }
  return (
    <TextInput
      {...common}
      type={inputTypes[type]}
      inputMode={type === "phone" ? "tel" : undefined}
      value={value}
      placeholder={editable ? placeholders[type] : undefined}
      maxLength={type === "url" ? 2000 : 500}
      spellCheck={type === "text"}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function Label({ field }: { field: Shape }) {
  if (!field.sealed_in) return <>{field.label}</>;
  return (
    <span className={classes.label}>
      {field.label}
      <SealedBadge scope={field.sealed_in} />
    </span>
  );
}

const yesOrNo = [
  { value: "true", label: said.yes },
  { value: "false", label: said.no },
];

/** The options, and one that is offered no more but was chosen when it was. */
function options(offered: string[], value: Held): string[] {
  return value === "" || offered.includes(String(value)) ? offered : [...offered, String(value)];
}

const inputTypes: Partial<Record<Shape["type"], string>> = { date: "date", phone: "tel" };

const placeholders: Partial<Record<Shape["type"], string>> = {
  email: "name@example.com",
  phone: "+4930123456",
  url: "https://example.com",
};
