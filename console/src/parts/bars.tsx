/** Counts side by side, a lying bar each; the number stands beside it. */
import type { ReactNode } from "react";
import classes from "./bars.module.css";

export interface Bar {
  key: string;
  name: ReactNode;
  count: number;
}

export function Bars({ bars, label }: { bars: Bar[]; label?: string }) {
  const top = Math.max(1, ...bars.map(({ count }) => count));
  return (
    <ul className={classes.bars} aria-label={label}>
      {bars.map(({ key, name, count }) => (
        <li key={key}>
          {name}
          <span className={classes.track} aria-hidden="true">
            <span className={classes.fill} style={{ width: `${(count / top) * 100}%` }} />
          </span>
          <span className={classes.count}>{count.toLocaleString()}</span>
        </li>
      ))}
    </ul>
  );
}
