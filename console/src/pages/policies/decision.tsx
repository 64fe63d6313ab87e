/** A decision: an icon and its word, never a colour alone. */
import {
  IconBuildingSkyscraper,
  IconCheck,
  IconMinus,
  IconUser,
  type TablerIcon,
} from "@tabler/icons-react";
import { words } from "../../words";
import classes from "./policies.module.css";

const said = words.policies;

const icons: Record<string, TablerIcon> = {
  allow: IconCheck,
  own: IconUser,
  platform: IconBuildingSkyscraper,
  deny: IconMinus,
};

export function Decision({ decision, long = false }: { decision: string; long?: boolean }) {
  const Icon = icons[decision] ?? IconMinus;
  const text = (long ? said.decisionsLong : said.decisions)[decision] ?? decision;
  return (
    <span className={classes.decision} data-decision={decision}>
      <Icon size={14} stroke={2.2} aria-hidden="true" />
      {text}
    </span>
  );
}
