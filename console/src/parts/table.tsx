/**
 * The one table: a list with its states, cursor paging and, on a phone, a card per row.
 */
import { Button, Group, VisuallyHidden } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import { useNavigate, useRouter, useRouterState } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Page } from "../api/types";
import { words } from "../words";
import { Failed, Loading } from "./states";
import classes from "./table.module.css";

export interface Column<T> {
  key: string;
  header: string;
  render: (row: T) => ReactNode;
  width?: string | number;
  /** Not worth its room on a phone; the drawer has it. */
  wideOnly?: boolean;
}

interface TableProps<T> {
  caption: string;
  columns: Column<T>[];
  query: UseQueryResult<Page<T>>;
  rowKey: (row: T) => string;
  /** The "…" menu of a row. */
  menu?: (row: T) => ReactNode;
  /** Highlights the row whose details are open. */
  current?: string;
  /** The rows that have just come in by themselves, by key. */
  fresh?: ReadonlySet<string>;
  empty: ReactNode;
}

export function DataTable<T>(props: TableProps<T>) {
  const { query, empty } = props;
  if (query.isPending) return <Loading />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (query.data.items.length === 0) {
    return (
      <>
        {empty}
        <Pager next={query.data.next_cursor ?? null} />
      </>
    );
  }
  return (
    <>
      <Rows {...props} rows={query.data.items} stale={query.isPlaceholderData} />
      <Pager next={query.data.next_cursor ?? null} />
    </>
  );
}

interface RowsProps<T> extends Omit<TableProps<T>, "query" | "empty"> {
  rows: T[];
  stale?: boolean;
}

/** The table alone, of rows that are there already. */
export function Rows<T>(props: RowsProps<T>) {
  const { caption, columns, rows, rowKey, menu, current, fresh, stale } = props;
  return (
    <table className={classes.table} aria-busy={stale} data-stale={stale || undefined}>
      <caption>
        <VisuallyHidden>{caption}</VisuallyHidden>
      </caption>
      <thead className={classes.head}>
        <tr>
          {columns.map((column) => (
            <th key={column.key} scope="col" style={{ width: column.width }}>
              {column.header}
            </th>
          ))}
          {menu ? (
            <th scope="col" className={classes.menuColumn}>
              <VisuallyHidden>{words.shell.actions}</VisuallyHidden>
            </th>
          ) : null}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr
            key={rowKey(row)}
            className={classes.row}
            data-current={rowKey(row) === current || undefined}
            data-fresh={fresh?.has(rowKey(row)) || undefined}
          >
            {columns.map((column, index) => (
              <td
                key={column.key}
                data-label={column.header}
                data-first={index === 0 || undefined}
                data-wide={column.wideOnly || undefined}
              >
                {column.render(row)}
              </td>
            ))}
            {menu ? <td className={classes.menuCell}>{menu(row)}</td> : null}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Class for the link in a row's first cell: it covers the whole row. */
export const rowLink = classes.rowLink;

/**
 * Cursor pages. The cursor is in the address; "Previous" is the browser's own way back when the
 * page was reached from here, otherwise there is only a way to the first page.
 */
export function Pager({ next }: { next: string | null }) {
  const navigate = useNavigate();
  const router = useRouter();
  const { cursor, paged } = useRouterState({
    select: (state) => ({
      cursor: (state.location.search as { cursor?: string }).cursor,
      paged: (state.location.state as { paged?: boolean }).paged === true,
    }),
  });
  if (!cursor && !next) return null;
  const to = (target: string | undefined) =>
    void navigate({
      to: ".",
      search: (now: Record<string, unknown>) => ({ ...now, cursor: target }),
      state: target ? (now) => ({ ...now, paged: true }) : undefined,
    });
  return (
    <Group component="nav" aria-label={words.common.pages} className={classes.pager}>
      {cursor ? (
        <Button
          variant="default"
          size="xs"
          leftSection={<IconChevronLeft size={14} />}
          onClick={() => (paged ? router.history.back() : to(undefined))}
        >
          {paged ? words.common.previousPage : words.common.firstPage}
        </Button>
      ) : null}
      {next ? (
        <Button
          variant="default"
          size="xs"
          rightSection={<IconChevronRight size={14} />}
          onClick={() => to(next)}
        >
          {words.common.nextPage}
        </Button>
      ) : null}
    </Group>
  );
}
