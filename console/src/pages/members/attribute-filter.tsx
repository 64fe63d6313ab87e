/** Members by the whole value of a searchable attribute: `key:value` in the address. */
import { CloseButton, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useState } from "react";
import { attributesQuery } from "../../api/queries";
import type { Attribute } from "../../api/types";
import { useFilter } from "../../parts/filters";
import classes from "../../parts/filters.module.css";
import { useOrganization, useWhyNot } from "../../parts/permissions";
import { words } from "../../words";

const said = words.members;

/** What is asked of the server: nothing before there is a value. */
export function askedFor(filter: string | undefined): string | undefined {
  return filter && split(filter).value ? filter : undefined;
}

function split(filter: string): { key: string; value: string } {
  const colon = filter.indexOf(":");
  return { key: filter.slice(0, colon), value: filter.slice(colon + 1) };
}

export function AttributeFilter({ value: current }: { value: string | undefined }) {
  const organization = useOrganization();
  const forbidden = useWhyNot("attributes_list");
  const query = useQuery({ ...attributesQuery(organization.id), enabled: forbidden === null });
  const filter = useFilter();
  const searchable = query.data?.items.filter((one) => one.searchable && !one.archived_at) ?? [];
  if (searchable.length === 0) return null;
  const { key, value } = split(current ?? ":");
  const chosen = searchable.find((one) => one.key === key);
  return (
    <>
      <Select
        className={classes.choice}
        __vars={{ "--filter-width": "190px" }}
        aria-label={said.byAttribute}
        placeholder={said.byAttribute}
        data={searchable.map((one) => ({ value: one.key, label: one.label }))}
        value={chosen?.key ?? null}
        onChange={(next) => filter({ attribute: next ? `${next}:` : undefined })}
        clearable
        clearButtonProps={{ "aria-label": words.common.clearFilters }}
        comboboxProps={{ shadow: "md" }}
      />
      {chosen ? (
        <ValueFilter
          attribute={chosen}
          value={value}
          onChange={(next) => filter({ attribute: `${chosen.key}:${next}` })}
        />
      ) : null}
    </>
  );
}

interface ValueFilterProps {
  attribute: Attribute;
  value: string;
  onChange: (value: string) => void;
}

function ValueFilter({ attribute, value, onChange }: ValueFilterProps) {
  const { type, label, options } = attribute;
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const name = said.attributeValue(label);
  const { yes, no } = words.profile;
  if (type === "boolean" || type === "choice") {
    const both = [
      { value: "true", label: yes },
      { value: "false", label: no },
    ];
    return (
      <Select
        className={classes.choice}
        aria-label={name}
        placeholder={name}
        data={type === "boolean" ? both : options}
        value={value || null}
        onChange={(next) => onChange(next ?? "")}
      />
    );
  }
  const send = () => {
    if (text.trim() !== value) onChange(text.trim());
  };
  const clear = () => {
    setText("");
    onChange("");
  };
  return (
    <TextInput
      className={classes.search}
      type={type === "date" ? "date" : undefined}
      aria-label={name}
      placeholder={said.wholeValue}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={send}
      onKeyDown={(event: KeyboardEvent) => {
        if (event.key === "Enter") send();
      }}
      rightSection={
        text ? (
          <CloseButton size="sm" aria-label={words.profile.clear(label)} onClick={clear} />
        ) : null
      }
    />
  );
}
