/** The list of places, grouped by job. */
import { Badge } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { alertCountsQuery } from "../../api/alerts";
import { signUpsQuery } from "../../api/queries";
import { words } from "../../words";
import { useMe } from "../permissions";
import { type Place, places } from "./places";
import classes from "./shell.module.css";

function grouped(list: Place[]): [string | null, Place[]][] {
  const groups = new Map<string | null, Place[]>();
  for (const place of list) groups.set(place.group, [...(groups.get(place.group) ?? []), place]);
  return [...groups];
}

export function Navigation({ onGo }: { onGo?: () => void }) {
  const me = useMe();
  return (
    <nav aria-label={words.shell.mainNavigation} className={classes.nav}>
      {grouped(places(me)).map(([group, list]) => (
        <div key={group ?? ""} className={classes.group}>
          {group ? <div className={classes.groupName}>{group}</div> : null}
          <ul>
            {list.map(({ to, label, icon: Icon, counts }) => (
              <li key={to}>
                <Link
                  to={to}
                  onClick={onGo}
                  className={classes.place}
                  activeOptions={{ exact: group === null, includeSearch: false }}
                  activeProps={{ "data-active": true, "aria-current": "page" }}
                >
                  <Icon size={17} stroke={1.7} aria-hidden="true" />
                  {label}
                  {counts === "signUps" && me.organization ? (
                    <Waiting organization={me.organization.id} />
                  ) : null}
                  {counts === "alerts" && me.organization ? (
                    <OpenAlerts organization={me.organization.id} />
                  ) : null}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

/** How many people wait to be let in; nothing while nobody does. */
function Waiting({ organization }: { organization: string }) {
  const said = words.signUps;
  const { data } = useQuery({
    ...signUpsQuery(organization, { status: "pending", limit: said.most }),
    staleTime: 60_000,
    refetchInterval: 120_000,
  });
  const count = data?.items.length ?? 0;
  if (count === 0) return null;
  const text = data?.next_cursor ? said.many : String(count);
  return (
    <Badge className={classes.waiting} aria-label={said.waiting(text)}>
      {text}
    </Badge>
  );
}

/** How many alerts are open and not muted; nothing while none is. */
function OpenAlerts({ organization }: { organization: string }) {
  const { data } = useQuery(alertCountsQuery(organization));
  const count = data?.total ?? 0;
  if (count === 0) return null;
  return (
    <Badge className={classes.waiting} aria-label={words.alerts.openCount(count)}>
      {count.toLocaleString()}
    </Badge>
  );
}
