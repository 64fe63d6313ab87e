/** The box that holds a list: filters on top, table below. */
import type { ReactNode } from "react";
import classes from "./page.module.css";

export function Panel({ children }: { children: ReactNode }) {
  return <div className={classes.section}>{children}</div>;
}
