/** One setting: what is in force and why, and what is set here. */
import {
  Badge,
  Button,
  MultiSelect,
  NumberInput,
  Select,
  Switch,
  TagsInput,
  Text,
} from "@mantine/core";
import { IconArrowBackUp } from "@tabler/icons-react";
import { useId, useState } from "react";
import type {
  ChoiceSetting,
  DemandSetting,
  DomainsSetting,
  NumberSetting,
  WordsSetting,
} from "../../api/types";
import { words } from "../../words";
import type { Draft } from "./draft";
import classes from "./settings.module.css";
import {
  fieldWords,
  inWords,
  isChoice,
  isDemand,
  isNumber,
  isWords,
  minutesOf,
  type Setting,
  unitFor,
  type Value,
} from "./values";

const said = words.security;

interface SettingRowProps {
  section: string;
  field: string;
  setting: Setting;
  draft: Draft;
  /** Whether these are the platform's own settings. */
  onPlatform: boolean;
  readOnly: boolean;
}

export function SettingRow(props: SettingRowProps) {
  const { section, field, setting, draft, onPlatform, readOnly } = props;
  const id = useId();
  const { label, hint } = fieldWords(section, field);
  const value = draft.value(section, field, setting);
  const set = (next: Value) => draft.change(section, field, setting, next);
  const control = {
    id,
    label,
    describedBy: `${id}-force`,
    readOnly,
    error: draft.error(section, field),
    set,
  };
  return (
    <div className={classes.row}>
      <div>
        <label className={classes.label} htmlFor={id}>
          {label}
        </label>
        {hint ? (
          <Text size="sm" c="dimmed">
            {hint}
          </Text>
        ) : null}
        <InForce id={`${id}-force`} setting={setting} onPlatform={onPlatform} />
      </div>
      <div className={classes.control}>
        <Control {...control} setting={setting} value={value} onPlatform={onPlatform} />
        {value !== null && !readOnly ? (
          <Button
            className={classes.reset}
            size="compact-xs"
            variant="subtle"
            color="gray"
            leftSection={<IconArrowBackUp size={14} aria-hidden="true" />}
            aria-label={said.reset(label)}
            onClick={() => set(null)}
          >
            {said.resetShort}
          </Button>
        ) : null}
      </div>
    </div>
  );
}

/** The control for the kind of value that the setting has. */
function Control(props: ControlProps<Setting, Value> & { onPlatform: boolean }) {
  const { setting, value, onPlatform, ...control } = props;
  if (isNumber(setting)) {
    return <NumberControl {...control} setting={setting} value={value as number | null} />;
  }
  if (isDemand(setting)) {
    return (
      <DemandControl
        {...control}
        setting={setting}
        value={value as boolean | null}
        otherwise={onPlatform ? setting.default : setting.platform}
      />
    );
  }
  if (isChoice(setting)) {
    return <ChoiceControl {...control} setting={setting} value={value as string | null} />;
  }
  if (isWords(setting)) {
    return <WordsControl {...control} setting={setting} value={value as string[] | null} />;
  }
  return (
    <DomainsControl
      {...control}
      setting={setting}
      value={value as string[] | null}
      narrowed={onPlatform ? undefined : (setting.platform ?? undefined)}
    />
  );
}

interface InForceProps {
  id: string;
  setting: Setting;
  onPlatform: boolean;
}

function InForce({ id, setting, onPlatform }: InForceProps) {
  const { source, value } = setting;
  const names = onPlatform ? said.sourcesOnPlatform : said.sources;
  const here = source === "organization" || (onPlatform && source === "platform");
  const overruled = value !== undefined && value !== null && !here;
  return (
    <>
      <div id={id} className={classes.force}>
        <span>
          {said.inForce}{" "}
          <span className={classes.value}>{inWords(setting, setting.effective)}</span>
        </span>
        <Badge
          className={classes.source}
          data-here={here || undefined}
          data-above={(!here && source === "platform") || undefined}
        >
          {names[source]}
        </Badge>
      </div>
      {overruled ? (
        <Text size="sm" c="dimmed" mt={4}>
          {said.overruled(inWords(setting, value))}
        </Text>
      ) : null}
    </>
  );
}

interface ControlProps<S, V> {
  id: string;
  label: string;
  describedBy: string;
  setting: S;
  value: V | null;
  readOnly: boolean;
  error: string | undefined;
  set: (value: Value) => void;
}

function NumberControl(props: ControlProps<NumberSetting, number>) {
  const { id, label, describedBy, setting, value, readOnly, error, set } = props;
  const timed = setting.unit === "minutes";
  const [chosen, setChosen] = useState<string | null>(null);
  const unit = timed ? (chosen ?? unitFor(value ?? setting.effective)) : setting.unit;
  const factor = timed ? (minutesOf[unit] ?? 1) : 1;
  // In another unit it may not be whole.
  const amount = Math.round((setting.effective / factor) * 100) / 100;
  const change = (next: number | string) => set(next === "" ? null : Number(next) * factor);
  const input = (
    <NumberInput
      id={id}
      aria-describedby={describedBy}
      value={value === null ? "" : value / factor}
      placeholder={timed ? String(amount) : said.counted(amount, setting.unit)}
      onChange={change}
      allowDecimal={false}
      allowNegative={false}
      clampBehavior="none"
      suffix={timed ? undefined : ` ${said.unitNames[setting.unit] ?? setting.unit}`}
      readOnly={readOnly}
      error={error}
    />
  );
  if (!timed) return input;
  return (
    <div className={classes.amount}>
      {input}
      <Select
        aria-label={said.unitOf(label)}
        data={Object.keys(minutesOf).map((name) => ({
          value: name,
          label: said.unitNames[name] ?? name,
        }))}
        value={unit}
        allowDeselect={false}
        readOnly={readOnly}
        onChange={(next) => {
          if (next === null) return;
          setChosen(next);
          // The number stays, and means more or less from now on.
          if (value !== null) set((value / factor) * (minutesOf[next] ?? 1));
        }}
      />
    </div>
  );
}

function optionsOf(words: readonly string[]) {
  return words.map((value) => ({ value, label: said.choice(value) }));
}

function ChoiceControl(props: ControlProps<ChoiceSetting, string>) {
  const { id, describedBy, setting, value, readOnly, error, set } = props;
  return (
    <Select
      id={id}
      aria-describedby={describedBy}
      data={optionsOf(setting.options)}
      value={value}
      placeholder={said.inherit}
      onChange={set}
      allowDeselect={false}
      readOnly={readOnly}
      error={error}
    />
  );
}

function WordsControl(props: ControlProps<WordsSetting, string[]>) {
  const { id, describedBy, setting, value, readOnly, error, set } = props;
  return (
    <MultiSelect
      id={id}
      aria-describedby={describedBy}
      data={optionsOf(setting.options)}
      value={value ?? []}
      placeholder={value ? undefined : said.inherit}
      onChange={set}
      readOnly={readOnly}
      error={error}
    />
  );
}

interface DemandControlProps extends ControlProps<DemandSetting, boolean> {
  /** What holds where nothing is set here. */
  otherwise: boolean;
}

function DemandControl(props: DemandControlProps) {
  const { id, describedBy, setting, value, readOnly, error, set, otherwise } = props;
  const on = (value ?? otherwise) || setting.demanded;
  return (
    <Switch
      id={id}
      aria-describedby={describedBy}
      checked={on}
      label={on ? said.demanded : said.notDemanded}
      description={setting.demanded ? said.demandedAbove : undefined}
      disabled={readOnly || setting.demanded}
      error={error}
      onChange={(event) => set(event.currentTarget.checked)}
    />
  );
}

interface DomainsControlProps extends ControlProps<DomainsSetting, string[]> {
  /** The domains that the platform leaves to choose from. */
  narrowed: readonly string[] | undefined;
}

function DomainsControl(props: DomainsControlProps) {
  const { id, describedBy, setting, value, readOnly, error, set, narrowed } = props;
  return (
    <TagsInput
      id={id}
      aria-describedby={describedBy}
      value={value ?? []}
      onChange={(next) => set(next.length > 0 ? next : null)}
      placeholder={value || readOnly ? undefined : said.domainHint}
      description={narrowed ? said.domainsFrom(narrowed.join(", ")) : undefined}
      splitChars={[",", " ", ";"]}
      maxTags={setting.max_items}
      acceptValueOnBlur
      readOnly={readOnly}
      error={error}
    />
  );
}
