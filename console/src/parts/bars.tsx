/** Counts side by side, a lying bar each; the number stands beside it. */
import type { ReactNode } from "react";
import classes from "./bars.module.css";

export interface Bar {
  key: string;
  name: ReactNode;
  count: number;
  /** Of how many, if they are parts of something; otherwise they are compared with each other. */
  of?: number;
  /** What stands beside the bar, if not the number. */
  said?: string;
}

export function Bars({ bars, label }: { bars: Bar[]; label?: string }) {
  const top = Math.max(1, ...bars.map(({ count }) => count));
  return (
    <ul className={classes.bars} aria-label={label}>
      {bars.map(({ key, name, count, of, said }) => (
        <li key={key}>
          {name}
          <span className={classes.track} aria-hidden="true">
            <span
              className={classes.fill}
              style={{ width: `${(count / (of ?? top)) * 100}%` }}
              data-none={count === 0 || undefined}
            />
          </span>
          <span className={classes.count}>{said ?? count.toLocaleString()}</span>
        </li>
      ))}
    </ul>
  );
}
