/** Every version of some settings, in a drawer: who, when, and what became what. */
import { Button, Text, VisuallyHidden } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { settingsHistoryQuery, settingsQuery } from "../../api/queries";
import type { Settings, SettingsChange } from "../../api/types";
import { words } from "../../words";
import { Details } from "../details";
import { useOpen } from "../filters";
import { Empty, Failed, Loading } from "../states";
import { Time } from "../time";
import classes from "./settings.module.css";
import { fieldWords, inWords, sectionWords, type Value } from "./values";

const said = words.security;

interface HistoryProps {
  organization: string | null;
  opened: boolean;
}

export function SettingsHistory({ organization, opened }: HistoryProps) {
  const open = useOpen();
  return (
    <Details opened={opened} onClose={() => open({ open: undefined })} title={said.historyTitle}>
      {opened ? <Versions organization={organization} /> : null}
    </Details>
  );
}

function Versions({ organization }: { organization: string | null }) {
  const query = useInfiniteQuery(settingsHistoryQuery(organization));
  const settings = useQuery(settingsQuery(organization)).data;
  if (query.isPending) return <Loading />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  const versions = query.data.pages.flatMap((page) => page.items);
  if (versions.length === 0) {
    return (
      <Empty
        icon={<IconHistory size={22} stroke={1.6} />}
        title={said.historyEmptyTitle}
        text={said.historyEmptyText}
      />
    );
  }
  return (
    <>
      <ol className={classes.versions}>
        {versions.map((version) => (
          <Version key={version.id} version={version} settings={settings} />
        ))}
      </ol>
      {query.hasNextPage ? (
        <Button
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {said.older}
        </Button>
      ) : null}
    </>
  );
}

interface VersionProps {
  version: SettingsChange;
  /** The settings as they are now: they know what a value counts. */
  settings: Settings | undefined;
}

function Version({ version, settings }: VersionProps) {
  const { changed_by: person, changes } = version;
  return (
    <li className={classes.version}>
      <Text fw={550} span>
        <Time value={version.changed_at} />
      </Text>{" "}
      <Text span>{person ? said.by(person.name) : said.byUnknown}</Text>
      <Text size="xs" c="dimmed">
        {said.version(version.version)}
      </Text>
      <ul className={classes.changes}>
        {changes.map(({ section, field, before, after }) => {
          const text = (value: unknown) => valueText(settings, section, field, value);
          return (
            <li key={`${section}.${field}`}>
              {sectionWords(section).title} · {fieldWords(section, field).label}:{" "}
              <Text span inherit c="dimmed">
                {text(before)}
              </Text>{" "}
              <span aria-hidden="true">→</span>
              <VisuallyHidden>{said.became}</VisuallyHidden>{" "}
              <Text span inherit fw={600}>
                {text(after)}
              </Text>
            </li>
          );
        })}
      </ul>
    </li>
  );
}

function valueText(
  settings: Settings | undefined,
  section: string,
  field: string,
  value: unknown,
): string {
  if (value === undefined || value === null) return said.notSet;
  const setting = settings?.sections[section]?.[field];
  if (setting && isValue(value)) {
    return inWords(setting, value);
  }
  return String(value);
}

function isValue(value: unknown): value is Exclude<Value, null> {
  return ["number", "string", "boolean"].includes(typeof value) || Array.isArray(value);
}
