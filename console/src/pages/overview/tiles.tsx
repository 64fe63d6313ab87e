/** Single numbers, each a way to the list behind it. */
import { Skeleton, Text } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { AuditEntry, Invitation, Member, Page } from "../../api/types";
import { useOrganization } from "../../parts/permissions";
import { explain } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";
import classes from "./overview.module.css";

const said = words.overview;

interface TileProps<T> {
  label: string;
  /** The page that holds the list, and its filters. */
  to: "/o/$organization/members" | "/o/$organization/invitations" | "/o/$organization/audit";
  search?: Record<string, string>;
  query: UseQueryResult<Page<T>>;
  count: (items: T[]) => number;
  note: (items: T[], page: Page<T>) => ReactNode;
}

function Tile<T>({ label, to, search, query, count, note }: TileProps<T>) {
  const { slug } = useOrganization();
  return (
    <div className={classes.tile}>
      <Link
        to={to}
        params={{ organization: slug }}
        search={search ?? {}}
        className={classes.tileLink}
      >
        {label}
      </Link>
      {query.isPending ? <Skeleton height={30} width={64} my={5} /> : null}
      {query.isError ? (
        <Text c="dimmed" my={8}>
          {explain(query.error).title}
        </Text>
      ) : null}
      {query.data ? (
        <>
          <span className={classes.number}>
            {query.data.next_cursor
              ? said.atLeast(count(query.data.items))
              : count(query.data.items).toLocaleString()}
          </span>
          <Text size="xs" c="dimmed">
            {note(query.data.items, query.data)}
          </Text>
        </>
      ) : null}
    </div>
  );
}

export function MembersTile({ query }: { query: UseQueryResult<Page<Member>> }) {
  return (
    <Tile
      label={said.members}
      to="/o/$organization/members"
      query={query}
      count={(members) => members.length}
      note={(members) => {
        const blocked = members.filter(({ status }) => status === "blocked").length;
        return blocked === 0 ? said.noneBlocked : said.blockedCount(blocked);
      }}
    />
  );
}

export function PendingTile({ query }: { query: UseQueryResult<Page<Invitation>> }) {
  return (
    <Tile
      label={said.pending}
      to="/o/$organization/invitations"
      search={{ status: "pending" }}
      query={query}
      count={(pending) => pending.length}
      note={(pending) => {
        const next = pending.map(({ expires_at }) => expires_at).sort()[0];
        return next ? (
          <>
            {said.nextExpires} <Time value={next} form="relative" />
          </>
        ) : (
          said.noPending
        );
      }}
    />
  );
}

interface RefusedProps {
  query: UseQueryResult<Page<AuditEntry>>;
  days: number;
}

export function RefusedTile({ query, days }: RefusedProps) {
  return (
    <Tile
      label={said.refused}
      to="/o/$organization/audit"
      search={{ outcome: "refused" }}
      query={query}
      count={(entries) => entries.filter(({ outcome }) => outcome !== "success").length}
      note={(entries, page) =>
        page.next_cursor ? said.refusedPartial(entries.length) : said.refusedText(days)
      }
    />
  );
}
