/** Getting started, shown until an organisation has got past its beginning. */
import { Text, VisuallyHidden } from "@mantine/core";
import { IconCheck, IconChevronRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Invitation, Me, Member, Page } from "../../api/types";
import { Section } from "../../parts/page";
import { allowed, useMe } from "../../parts/permissions";
import { words } from "../../words";
import classes from "./overview.module.css";

const said = words.overview;

interface Step {
  title: string;
  text: string;
  to: string;
  search?: Record<string, string>;
  done: boolean;
}

interface StepsProps {
  members: Page<Member> | undefined;
  pending: Page<Invitation> | undefined;
}

function stepsFor(me: Me, members: Member[], invited: boolean): Step[] {
  const base = `/o/${me.organization?.slug}`;
  const steps: Step[] = [];
  if (me.organization?.kind === "platform") {
    steps.push({
      title: said.stepOrganization,
      text: said.stepOrganizationText,
      to: "/platform/organizations",
      search: { dialog: "create" },
      done: me.organizations.some(({ kind }) => kind === "tenant"),
    });
  }
  const leading = members.filter(({ effective_roles }) =>
    effective_roles.some((role) => ["platform_admin", "owner", "admin"].includes(role)),
  );
  steps.push(
    {
      title: said.stepInvite,
      text: said.stepInviteText,
      to: `${base}/invitations`,
      search: { dialog: "invite" },
      done: invited || members.length > 1,
    },
    {
      title: said.stepSecond,
      text: said.stepSecondText,
      to: `${base}/members`,
      done: leading.length > 1,
    },
  );
  return steps;
}

export function Steps({ members, pending }: StepsProps) {
  const me = useMe();
  if (!members || !allowed(me, "invitations_create")) return null;
  const steps = stepsFor(me, members.items, (pending?.items.length ?? 0) > 0);
  if (members.next_cursor || steps.every(({ done }) => done)) return null;
  return (
    <Section title={said.steps} text={said.stepsText} flush>
      <ol className={classes.steps}>
        {steps.map(({ title, text, to, search, done }, index) => (
          <li key={title} data-done={done || undefined}>
            <span className={classes.stepMark} aria-hidden="true">
              {done ? <IconCheck size={14} stroke={2.4} /> : index + 1}
            </span>
            <div className={classes.stepText}>
              <VisuallyHidden>{done ? said.stepDone : said.stepOpen}</VisuallyHidden>
              <Link to={to} search={search} className={classes.stepLink}>
                {title}
              </Link>
              <Text size="sm" c="dimmed">
                {text}
              </Text>
            </div>
            <IconChevronRight
              size={16}
              stroke={1.6}
              aria-hidden="true"
              className={classes.stepArrow}
            />
          </li>
        ))}
      </ol>
    </Section>
  );
}
